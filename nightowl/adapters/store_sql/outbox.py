"""Notices on their way out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update

from nightowl.adapters.store_sql.schema import DEAD, OUTBOX, SENT, WAITING
from nightowl.adapters.store_sql.session import Session
from nightowl.core.routing import RESEND, is_resend
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
    "group_key",
)
_CHUNK = 500
_TOGETHER = 1000
"""Rows taken at most, beyond those asked for, as they can share a message."""

_decode = msgspec.msgpack.Decoder(Notice).decode


class SqlOutbox:
    """See ``ports.Outbox``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = session.connection

    def add(self, notices: Sequence[Notice]) -> None:
        """Queue notices; one whose key is already there has no effect.

        Of the resends of an incident and channel that were sent, the new one takes the place.
        """
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
                notice.group,
            )
            for notice in notices
        ]
        self._forget_resends(notices)
        self._session.insert_new(OUTBOX, rows, _QUEUED)

    def _forget_resends(self, notices: Sequence[Notice]) -> None:
        """Leave no more than one resend of an incident and channel."""
        for notice in notices:
            if is_resend(notice.step):
                of = OUTBOX.c.incident == notice.incident.id, OUTBOX.c.channel == notice.channel
                resend = OUTBOX.c.key.startswith(f"{notice.incident.id}/{RESEND}", autoescape=True)
                other = OUTBOX.c.key != notice.key
                self._connection.execute(delete(OUTBOX).where(*of, resend, other, OUTBOX.c.status == SENT))

    def claim(self, now: float, holder: str, term: float, limit: int, busy: Collection[str] = ()) -> list[Claimed]:
        """Take rows that are due and unclaimed (or whose claim ended) for ``term`` seconds; none to ``busy`` channels.

        Beyond ``limit`` are those that can share a message with one that was taken. The update repeats the condition
        under the row's lock, so of two claimers one gets each row.
        """
        older = OUTBOX.alias("older")
        overtaken = exists().where(
            older.c.incident == OUTBOX.c.incident,
            older.c.channel == OUTBOX.c.channel,
            older.c.status == WAITING,
            older.c.id < OUTBOX.c.id,
        )
        free = and_(OUTBOX.c.status == WAITING, OUTBOX.c.next_at <= now, OUTBOX.c.held_until <= now)
        claimable = and_(free, ~overtaken, OUTBOX.c.channel.not_in(sorted(busy)))
        query = (
            select(OUTBOX.c.id, OUTBOX.c.channel, OUTBOX.c.group_key)
            .where(claimable)
            .order_by(OUTBOX.c.next_at, OUTBOX.c.id)
            .limit(limit)
        )
        rows = self._connection.execute(query).all()
        if not rows:
            return []
        candidates = {row.id for row in rows} | self._grouped(
            {(row.channel, row.group_key) for row in rows if row.group_key}, claimable
        )
        self._connection.execute(
            update(OUTBOX).where(OUTBOX.c.id.in_(candidates), free).values(holder=holder, held_until=now + term)
        )
        mine = select(OUTBOX.c.id, OUTBOX.c.notice, OUTBOX.c.tries).where(
            OUTBOX.c.id.in_(candidates), OUTBOX.c.holder == holder, OUTBOX.c.held_until == now + term
        )
        taken = self._connection.execute(mine.order_by(OUTBOX.c.id))
        return [Claimed(id=row.id, notice=_decode(row.notice), tries=row.tries) for row in taken]

    def _grouped(self, groups: Collection[tuple[str, str]], claimable: ColumnElement[bool]) -> set[int]:
        """The rows of these channels and groups that can be taken."""
        if not groups:
            return set()
        wanted = or_(*(and_(OUTBOX.c.channel == channel, OUTBOX.c.group_key == group) for channel, group in groups))
        query = select(OUTBOX.c.id).where(claimable, wanted).order_by(OUTBOX.c.id).limit(_TOGETHER)
        return set(self._connection.execute(query).scalars())

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
        return self.of_many([incident]).get(incident, [])

    def of_many(self, incidents: Collection[str]) -> dict[str, list[OutboxRow]]:
        """All notices of these incidents (without any: not there), oldest first."""
        found: dict[str, list[OutboxRow]] = {}
        wanted = sorted(incidents)
        for first in range(0, len(wanted), _CHUNK):
            chosen = OUTBOX.c.incident.in_(wanted[first : first + _CHUNK])
            query = select(OUTBOX).where(chosen).order_by(OUTBOX.c.id)
            for row in self._connection.execute(query):
                found.setdefault(row.incident, []).append(_row(row))
        return found

    def oldest(self) -> float | None:
        """When the oldest waiting notice was created."""
        return self._connection.execute(select(func.min(OUTBOX.c.created)).where(OUTBOX.c.status == WAITING)).scalar()

    def _settle(self, row: int, **values: Any) -> None:
        self._connection.execute(
            update(OUTBOX)
            .where(OUTBOX.c.id == row, OUTBOX.c.status == WAITING)
            .values(tries=OUTBOX.c.tries + 1, holder="", held_until=0.0, **values)
        )


def _row(row: Any) -> OutboxRow:
    return OutboxRow(
        notice=_decode(row.notice),
        status=_STATUS[row.status],
        tries=row.tries,
        next_at=row.next_at,
        error=row.error,
    )
