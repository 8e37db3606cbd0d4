"""Notices on their way out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import and_, exists, func, select, update

from nightowl.adapters.store_sql.schema import DEAD, OUTBOX, SENT, WAITING
from nightowl.adapters.store_sql.session import Session
from nightowl.core.values import Notice
from nightowl.ports import Claimed, OutboxRow

_STATUS: dict[int, Literal["waiting", "sent", "dead"]] = {WAITING: "waiting", SENT: "sent", DEAD: "dead"}
_QUEUED = (
    "key",
    "incident",
    "channel",
    "created",
    "status",
    "tries",
    "next_at",
    "holder",
    "held_until",
    "error",
    "notice",
)
_decode = msgspec.msgpack.Decoder(Notice).decode


class SqlOutbox:
    """See ``ports.Outbox``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = session.connection

    def add(self, notices: Sequence[Notice]) -> None:
        """Queue notices; one whose key is already there has no effect."""
        rows = [
            (
                notice.key,
                notice.incident.id,
                notice.channel,
                notice.created,
                WAITING,
                0,
                notice.created,
                "",
                0.0,
                "",
                msgspec.msgpack.encode(notice),
            )
            for notice in notices
        ]
        self._session.insert_new(OUTBOX, rows, _QUEUED)

    def claim(self, now: float, holder: str, term: float, limit: int, busy: Collection[str] = ()) -> list[Claimed]:
        """Take rows that are due and unclaimed (or whose claim ended) for ``term`` seconds; none to ``busy`` channels.

        The update repeats the condition under the row's lock, so of two claimers one gets each row.
        """
        older = OUTBOX.alias("older")
        overtaken = exists().where(
            older.c.incident == OUTBOX.c.incident,
            older.c.channel == OUTBOX.c.channel,
            older.c.status == WAITING,
            older.c.id < OUTBOX.c.id,
        )
        free = and_(OUTBOX.c.status == WAITING, OUTBOX.c.next_at <= now, OUTBOX.c.held_until <= now)
        query = (
            select(OUTBOX.c.id)
            .where(free, ~overtaken, OUTBOX.c.channel.not_in(sorted(busy)))
            .order_by(OUTBOX.c.next_at, OUTBOX.c.id)
            .limit(limit)
        )
        candidates = list(self._connection.execute(query).scalars())
        if not candidates:
            return []
        self._connection.execute(
            update(OUTBOX).where(OUTBOX.c.id.in_(candidates), free).values(holder=holder, held_until=now + term)
        )
        mine = select(OUTBOX.c.id, OUTBOX.c.notice, OUTBOX.c.tries).where(
            OUTBOX.c.id.in_(candidates), OUTBOX.c.holder == holder, OUTBOX.c.held_until == now + term
        )
        rows = self._connection.execute(mine.order_by(OUTBOX.c.id))
        return [Claimed(id=row.id, notice=_decode(row.notice), tries=row.tries) for row in rows]

    def sent(self, row: int, now: float) -> None:
        """The channel took it."""
        self._settle(row, status=SENT, finished=now)

    def retry(self, row: int, at: float, error: str) -> None:
        """Try again at ``at``."""
        self._settle(row, next_at=at, error=error)

    def dead(self, row: int, now: float, error: str) -> None:
        """Give up on it."""
        self._settle(row, status=DEAD, finished=now, error=error)

    def of(self, incident: str) -> list[OutboxRow]:
        """All notices of an incident, oldest first."""
        query = select(OUTBOX).where(OUTBOX.c.incident == incident).order_by(OUTBOX.c.id)
        return [
            OutboxRow(
                notice=_decode(row.notice),
                status=_STATUS[row.status],
                tries=row.tries,
                next_at=row.next_at,
                error=row.error,
            )
            for row in self._connection.execute(query)
        ]

    def oldest(self) -> float | None:
        """When the oldest waiting notice was created."""
        return self._connection.execute(select(func.min(OUTBOX.c.created)).where(OUTBOX.c.status == WAITING)).scalar()

    def _settle(self, row: int, **values: Any) -> None:
        self._connection.execute(
            update(OUTBOX)
            .where(OUTBOX.c.id == row, OUTBOX.c.status == WAITING)
            .values(tries=OUTBOX.c.tries + 1, holder="", held_until=0.0, **values)
        )
