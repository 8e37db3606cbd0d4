"""The actors that the leading director knows of."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import delete, select

from nightowl.adapters.store_sql.schema import ACTORS
from nightowl.adapters.store_sql.session import Session
from nightowl.core.values import ActorSeen

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ActorSeen).decode


class SqlActors:
    """See ``ports.Actors``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = session.connection

    def put(self, seen: Sequence[ActorSeen]) -> None:
        """Replace all that was known."""
        self._connection.execute(delete(ACTORS))
        self._session.insert(ACTORS, [(each.location, each.name, _encode(each)) for each in seen])

    def all(self) -> list[ActorSeen]:
        """All of them, by location and name."""
        query = select(ACTORS.c.seen).order_by(ACTORS.c.location, ACTORS.c.name)
        return [_decode(blob) for blob in self._connection.execute(query).scalars()]
