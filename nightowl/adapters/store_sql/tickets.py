"""Rounds that are under way."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import delete, select

from nightowl.adapters.store_sql.schema import MARKS, TICKETS
from nightowl.adapters.store_sql.session import Session
from nightowl.adapters.store_sql.times import from_ms, to_ms
from nightowl.core.values import Round
from nightowl.ports import Ticket

_decode = msgspec.msgpack.Decoder(tuple[Round, ...]).decode


class Tickets:
    """The part of ``ports.Rounds`` that survives a restart of the director."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = session.connection

    def dispatch(self, ticket: Ticket | None, scheduled_until: float, missed: int | None = None) -> None:
        """Remember that these rounds are under way, up to which moment rounds have been scheduled, and what was missed.

        So each round that was due until then is in a ticket, has a verdict, or is counted as missed. ``missed`` is the
        count since the store was made (None: as it was), so that writing it again counts nothing twice.
        """
        if ticket is not None:
            row = (ticket.id, msgspec.msgpack.encode(ticket.rounds))
            self._session.insert_new(TICKETS, [row], ("id", "rounds"))
        self._session.upsert(MARKS, [("scheduled_until", to_ms(scheduled_until))])
        if missed is not None:
            self._session.upsert(MARKS, [("missed", missed)])

    def missed(self) -> int:
        """How many rounds have been missed since the store was made."""
        return self._mark("missed") or 0

    def open_tickets(self) -> list[Ticket]:
        """Tickets not finished, oldest first."""
        query = select(TICKETS.c.id, TICKETS.c.rounds).order_by(TICKETS.c.number)
        return [Ticket(id=row.id, rounds=_decode(row.rounds)) for row in self._connection.execute(query)]

    def finish(self, tickets: Iterable[str]) -> None:
        """Forget tickets: all their rounds are closed."""
        finished = list(tickets)
        if finished:
            self._connection.execute(delete(TICKETS).where(TICKETS.c.id.in_(finished)))

    def scheduled_until(self) -> float | None:
        """The moment up to which rounds have been scheduled (None: never), to the millisecond."""
        value = self._mark("scheduled_until")
        return None if value is None else from_ms(value)

    def _mark(self, name: str) -> int | None:
        value: int | None = self._connection.execute(select(MARKS.c.value).where(MARKS.c.name == name)).scalar()
        return value
