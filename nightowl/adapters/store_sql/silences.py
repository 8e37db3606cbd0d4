"""Silences."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace
from sqlalchemy import ColumnElement, func, insert, select, update

from nightowl.adapters.store_sql.feed import SqlFeed
from nightowl.adapters.store_sql.schema import SILENCES
from nightowl.adapters.store_sql.session import Session
from nightowl.core.values import Silence

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Silence).decode


class SqlSilences:
    """See ``ports.Silences``. The number of a silence is its row's alone."""

    def __init__(self, session: Session, feed: SqlFeed) -> None:
        self._connection = session.connection
        self._feed = feed

    def add(self, silence: Silence) -> Silence:
        """Store a new one; it comes back with its number."""
        row = insert(SILENCES).values(ends=silence.end, silence=_encode(replace(silence, id=0)))
        key = self._connection.execute(row).inserted_primary_key
        assert key is not None
        stored = replace(silence, id=int(key[0]))
        self._feed.add("silence", str(stored.id))
        return stored

    def get(self, number: int) -> Silence | None:
        """One silence."""
        return next(iter(self._read(SILENCES.c.id == number)), None)

    def put(self, silence: Silence) -> None:
        """Replace by number."""
        values = {"ends": silence.end, "silence": _encode(replace(silence, id=0))}
        self._connection.execute(update(SILENCES).where(SILENCES.c.id == silence.id).values(**values))
        self._feed.add("silence", str(silence.id))

    def lasting(self, now: float) -> list[Silence]:
        """Those that have not ended at ``now``, in the order in which they end."""
        return self._read(SILENCES.c.ends > now)

    def page(self, offset: int, limit: int) -> tuple[list[Silence], int]:
        """All of them, newest first, and how many there are."""
        query = select(SILENCES.c.id, SILENCES.c.silence).order_by(SILENCES.c.id.desc()).offset(offset).limit(limit)
        total = self._connection.execute(select(func.count()).select_from(SILENCES)).scalar_one()
        return [_silence(*row) for row in self._connection.execute(query)], total

    def _read(self, wanted: ColumnElement[bool]) -> list[Silence]:
        query = select(SILENCES.c.id, SILENCES.c.silence).where(wanted).order_by(SILENCES.c.ends, SILENCES.c.id)
        return [_silence(*row) for row in self._connection.execute(query)]


def _silence(number: int, blob: bytes) -> Silence:
    return replace(_decode(blob), id=number)
