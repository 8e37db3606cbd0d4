"""What workers pushed, kept until the watcher of their cluster has stored what it says."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from time import monotonic

import msgspec
from sqlalchemy import delete, func, insert, select

from nightowl.adapters.store_sql.tasks.schema import PUSHED
from nightowl.adapters.store_sql.tasks.session import Session
from nightowl.core.cluster.pushed import Parcel

COUNTED = 1.0
"""Seconds after which it is counted again how much waits; between that a process knows of its own parcels alone."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Parcel).decode

Transaction = Callable[[], AbstractContextManager[Session]]


class SqlInbox:
    """See ``ports.inbox.Inbox``."""

    def __init__(self, writing: Transaction, reading: Transaction) -> None:
        self._writing = writing
        self._reading = reading
        self._counts: dict[str, tuple[float, int]] = {}

    def put(self, cluster: str, parcel: Parcel, room: int) -> bool:
        """Keep a parcel; False: there is no room for it. Of several processes each may exceed it a little."""
        size = len(parcel.events)
        at, count = self._counts.get(cluster, (0.0, 0))
        if monotonic() - at > COUNTED:
            at, count = monotonic(), self._count(cluster)
        self._counts[cluster] = at, count
        if count + size > room:
            return False
        with self._writing() as session:
            number = session.numbers.held_cluster(cluster)
            row = {"cluster": number, "events": size, "body": _encode(parcel)}
            session.connection.execute(insert(PUSHED).values(row))
        self._counts[cluster] = at, count + size
        return True

    def parcels(self, cluster: str, after: int, limit: int) -> list[tuple[int, Parcel]]:
        """The oldest parcels behind a number, with their numbers."""
        with self._reading() as session:
            number = session.numbers.cluster(cluster)
            if number is None:
                return []
            query = select(PUSHED.c.id, PUSHED.c.body).where(PUSHED.c.cluster == number, PUSHED.c.id > after)
            rows = session.connection.execute(query.order_by(PUSHED.c.id).limit(limit)).all()
        return [(row.id, _decode(row.body)) for row in rows]

    def last(self, cluster: str) -> int:
        """The number of the newest parcel (0: there is none)."""
        with self._reading() as session:
            query = select(func.max(PUSHED.c.id)).where(PUSHED.c.cluster == session.numbers.cluster(cluster))
            return int(session.connection.execute(query).scalar_one() or 0)

    def remove(self, cluster: str, through: int) -> None:
        """Forget the parcels up to this number."""
        with self._writing() as session:
            number = session.numbers.cluster(cluster)
            if number is not None:
                session.connection.execute(delete(PUSHED).where(PUSHED.c.cluster == number, PUSHED.c.id <= through))

    def _count(self, cluster: str) -> int:
        with self._reading() as session:
            number = session.numbers.cluster(cluster)
            query = select(func.coalesce(func.sum(PUSHED.c.events), 0)).where(PUSHED.c.cluster == number)
            return 0 if number is None else int(session.connection.execute(query).scalar_one())
