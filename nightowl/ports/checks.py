"""Checks, their rounds and heartbeats, and the actors that run them, as the store keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import msgspec

from nightowl.core.values import (
    ActorSeen,
    CheckState,
    DayCount,
    Origin,
    Outcome,
    Ping,
    Pulse,
    Round,
    Verdict,
)


class StoredCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A check as it is defined: ``spec`` has the keys of a ``[check.NAME]`` table, secrets as references."""

    name: str
    origin: Origin
    paused: bool
    spec: dict[str, Any]
    changed: float = 0.0


class CheckFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which checks a list shows; empty: all.

    ``state`` also knows ``paused`` and ``new``; ``tag`` is ``name`` or ``name=value``; ``text`` is looked for in
    name and URL.
    """

    state: str = ""
    tag: str = ""
    location: str = ""
    text: str = ""


class CheckRow(msgspec.Struct, frozen=True, kw_only=True):
    """A check beside its state (None: no round closed yet)."""

    check: StoredCheck
    state: CheckState | None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows of a list; ``total`` counts all that match."""

    rows: tuple[CheckRow, ...]
    total: int


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """The rounds that one tick of the director dispatched together; kept until all of them are closed."""

    id: str
    rounds: tuple[Round, ...]


class Checks(Protocol):
    """Check definitions. Every write appends to the change feed."""

    def all(self) -> list[StoredCheck]:
        """All checks, by name."""

    def get(self, name: str) -> StoredCheck | None:
        """One check."""

    def put(self, check: StoredCheck) -> None:
        """Insert or replace by name; writes nothing where nothing differs."""

    def put_many(self, checks: Sequence[StoredCheck]) -> None:
        """``put`` for many checks in a few statements."""

    def remove(self, name: str) -> bool:
        """Forget a check with its rounds; False: there was none."""

    def page(self, wanted: CheckFilter, offset: int, limit: int) -> Page:
        """Rows by state (down, degraded, unknown, never run, up, paused), then name."""

    def counts(self) -> dict[str, int]:
        """How many checks are in each state (``up``, ..., ``paused``, ``new``)."""


class Rounds(Protocol):
    """Rounds, outcomes and verdicts."""

    def dispatch(self, ticket: Ticket | None, scheduled_until: float, missed: int | None = None) -> None:
        """Remember that these rounds are under way, up to which moment rounds have been scheduled, and what was missed.

        So each round that was due until then is in a ticket, has a verdict, or is counted as missed. ``missed`` is the
        count since the store was made (None: as it was), so that writing it again counts nothing twice.
        """

    def missed(self) -> int:
        """How many rounds have been missed since the store was made."""

    def open_tickets(self) -> list[Ticket]:
        """Tickets not finished, oldest first."""

    def finish(self, tickets: Iterable[str]) -> None:
        """Forget tickets: all their rounds are closed."""

    def scheduled_until(self) -> float | None:
        """The moment up to which rounds have been scheduled (None: never)."""

    def add_outcomes(self, outcomes: Sequence[Outcome], *, late: bool = False) -> None:
        """Store outcomes with all attempts; one that is already there has no effect."""

    def outcomes(self, check: str, due: float) -> list[Outcome]:
        """A round's outcomes with their attempts, by location."""

    def late(self, check: str, due: float) -> set[str]:
        """The locations of a round whose outcomes came too late for a vote."""

    def votes(self, rounds: Sequence[Round]) -> list[Outcome]:
        """The outcomes of all these rounds that came in time, with only their kept attempt; in a few statements."""

    def outcome_range(self, check: str, start: float, end: float, limit: int) -> list[Outcome]:
        """Outcomes with ``start < due <= end`` in order of due and location, the newest ``limit``.

        Of their attempts only the kept one is there.
        """

    def close(self, verdicts: Sequence[Verdict], states: Sequence[CheckState]) -> None:
        """Store verdicts (once each), count them by day, and store the checks' new states."""

    def closed(self, rounds: Sequence[Round]) -> set[Round]:
        """Those of ``rounds`` that have a verdict."""

    def state(self, check: str) -> CheckState | None:
        """The check's state."""

    def states(self) -> list[CheckState]:
        """The states of all checks, by name."""

    def verdicts(self, check: str, start: float, end: float, limit: int) -> list[Verdict]:
        """Verdicts with ``start < due <= end`` in order of due; the newest ``limit``."""

    def days(self, check: str, first: int, last: int) -> list[DayCount]:
        """Counts of the UTC days from ``first`` to ``last`` inclusive that have any."""


class HeartbeatUrl(msgspec.Struct, frozen=True, kw_only=True):
    """The secret URL of a check as the store knows it.

    ``serial`` is the check's number, which one that is defined again does not have; ``generation`` counts its URLs
    from 0. ``token_hash`` is empty while nobody has needed the URL.
    """

    serial: int
    generation: int = 0
    token_hash: bytes = b""


class Heartbeats(Protocol):
    """Heartbeats: their URLs by hash, the calls of their jobs, and where they stand."""

    def url(self, check: str) -> HeartbeatUrl | None:
        """The URL of a check, whatever its kind (None: there is no such check)."""

    def urls(self) -> dict[str, HeartbeatUrl]:
        """The URLs of all checks, by name."""

    def set_url(self, check: str, url: HeartbeatUrl) -> None:
        """Make this the URL of a check, and tell the change feed; the one before is unknown from then on."""

    def owner(self, token_hash: bytes) -> str | None:
        """The check whose URL has a token with this hash."""

    def add(self, *pings: Ping) -> None:
        """Store calls, and tell the change feed; one whose event is stored already has no effect."""

    def pings(self, check: str, limit: int) -> list[Ping]:
        """The newest calls of a check, newest first."""

    def untaken(self, limit: int) -> list[Ping]:
        """The oldest calls that the leader has not taken up."""

    def take(self, pings: Sequence[Ping]) -> None:
        """Note that calls were taken up."""

    def pulses(self) -> list[Pulse]:
        """Where all heartbeats stand, by name."""

    def pulse(self, check: str) -> Pulse | None:
        """Where one heartbeat stands."""

    def save(self, pulses: Sequence[Pulse]) -> None:
        """Store where heartbeats stand; those whose check is gone are left out."""

    def watched_until(self) -> float | None:
        """The last moment at which a leader watched (None: never)."""

    def watch(self, moment: float) -> None:
        """Note that a leader watches at ``moment``."""


class Actors(Protocol):
    """The actors that the leading director knows of."""

    def put(self, seen: Sequence[ActorSeen]) -> None:
        """Replace all that was known."""

    def all(self) -> list[ActorSeen]:
        """All of them, by location and name."""
