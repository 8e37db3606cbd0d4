"""Where rules stand for series."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import msgspec
from sqlalchemy import delete, select

from nightowl.adapters.store_sql.schema import RULE_STANDINGS
from nightowl.adapters.store_sql.session import Session
from nightowl.core.rule_incident import Standing

_CHUNK = 500

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Standing).decode


class SqlRules:
    """See ``ports.RuleStandings``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def all(self) -> list[Standing]:
        """All of them, by rule and series."""
        found = self._session.connection.execute(select(RULE_STANDINGS.c.standing)).scalars()
        return sorted(map(_decode, found), key=lambda standing: (standing.rule, standing.series))

    def put(self, standings: Sequence[Standing]) -> None:
        """Insert or replace by rule and series."""
        rows = {_key(each): (each.rule, each.series, _encode(each)) for each in standings}
        self._session.upsert(RULE_STANDINGS, [(key, *row) for key, row in rows.items()])

    def remove(self, standings: Sequence[Standing]) -> None:
        """Forget these, by rule and series."""
        keys = [_key(each) for each in standings]
        for first in range(0, len(keys), _CHUNK):
            wanted = RULE_STANDINGS.c.key.in_(keys[first : first + _CHUNK])
            self._session.connection.execute(delete(RULE_STANDINGS).where(wanted))


def _key(standing: Standing) -> bytes:
    # what a rule asks of a source apart from what it looks at itself: a rule that goes over has two for a moment
    parts = (standing.rule, standing.series, *filter(None, [standing.source]))
    return blake2b("\0".join(parts).encode(), digest_size=16).digest()
