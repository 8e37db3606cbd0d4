"""Incidents, their notices and silences, as the store keeps them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, Protocol

import msgspec

from nightowl.core.values import (
    Change,
    Entry,
    Incident,
    Notice,
    Silence,
)


class Incidents(Protocol):
    """Incidents and their timelines."""

    def apply(self, changes: Sequence[Change]) -> None:
        """Store each change's incident and add the change to its timeline (once) and to the change feed."""

    def get(self, incident: str) -> Incident | None:
        """One incident; in a transaction no other can change it from here on until the commit."""

    def open(self) -> list[Incident]:
        """Open incidents: most severe first, then oldest."""

    def page(self, *, open_only: bool, subject: str, offset: int, limit: int) -> tuple[list[Incident], int]:
        """Incidents newest first, and how many there are (``subject`` empty: all)."""

    def since(self, kind: str, subject: str, moment: float, limit: int) -> list[Incident]:
        """The newest ``limit`` incidents of a kind and subject that opened after ``moment``, newest first."""

    def ended(self, moment: float) -> list[Incident]:
        """Those that ended after ``moment``."""

    def of_rule(self, rule: str, limit: int) -> list[Incident]:
        """Incidents of a rule, of breaches and of missing data, the newest ``limit`` first."""

    def timeline(self, incident: str) -> list[Entry]:
        """What happened, oldest first."""

    def note(self, entry: Entry) -> None:
        """Add a line to a timeline."""


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """An outbox row that a notifier holds until its lease ends; ``tries`` counts sends so far."""

    id: int
    notice: Notice
    tries: int


class OutboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a notice: ``status`` waiting, sent or dead; ``error`` is the last one."""

    notice: Notice
    status: Literal["waiting", "sent", "dead"]
    tries: int
    next_at: float
    error: str = ""


class Outbox(Protocol):
    """Notices on their way out. Only the oldest unsent row of an incident and channel can be claimed."""

    def add(self, notices: Sequence[Notice]) -> None:
        """Queue notices; one whose key is already there has no effect.

        Of the resends of an incident and channel that were sent, the new one takes the place.
        """

    def claim(self, now: float, holder: str, term: float, limit: int, busy: Collection[str] = ()) -> list[Claimed]:
        """Take rows that are due and unclaimed (or whose claim ended) for ``term`` seconds; none to ``busy`` channels.

        So a channel that is slow, or has many rows, keeps none of the others waiting. Beyond ``limit`` are those that
        can share a message with one that was taken.
        """

    def sent(self, row: int, now: float) -> None:
        """The channel took it."""

    def retry(self, row: int, at: float, error: str) -> None:
        """Try again at ``at``."""

    def dead(self, row: int, now: float, error: str) -> None:
        """Give up on it."""

    def of(self, incident: str) -> list[OutboxRow]:
        """All notices of an incident, oldest first."""

    def of_many(self, incidents: Collection[str]) -> dict[str, list[OutboxRow]]:
        """All notices of these incidents (without any: not there), oldest first."""

    def oldest(self) -> float | None:
        """When the oldest waiting notice was created."""


class Silences(Protocol):
    """Silences. Every write appends to the change feed, with the kind ``silence``."""

    def add(self, silence: Silence) -> Silence:
        """Store a new one; it comes back with its number."""

    def get(self, number: int) -> Silence | None:
        """One silence."""

    def put(self, silence: Silence) -> None:
        """Replace by number."""

    def lasting(self, now: float) -> list[Silence]:
        """Those that have not ended at ``now``, in the order in which they end."""

    def page(self, offset: int, limit: int) -> tuple[list[Silence], int]:
        """All of them, newest first, and how many there are."""
