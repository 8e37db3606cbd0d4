"""Rounds under way: which location has been asked what, who holds it, and what must be sent again.

A batch is *taken* when an actor says so, and *held* while that actor's reports keep naming it. When the holder is
silent, or has dropped the batch, or the batch is not taken although an actor of the location is alive, the jobs
that nobody has reported are lost and must be sent again. The first outcome of a round and location wins.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

import msgspec

from nightowl.core.values import Batch, Check, Outcome, Report, Round

SILENCE = 3.0
"""Seconds without a word after which an actor counts as silent, and an untaken batch as lost."""

Errand = tuple[Round, str]
"""A round at a location."""


class OpenRound(msgspec.Struct):
    """A round that is not closed. ``asked`` are its locations, ``votes`` the outcomes that came in time."""

    check: Check
    round: Round
    asked: tuple[str, ...]
    deadline: float
    ticket: str
    votes: dict[str, Outcome] = {}
    resent: set[str] = set()


class Flight(msgspec.Struct):
    """A batch on its way. ``sent`` and ``taken`` are director time, ``holder`` the actor that took it."""

    location: str
    sent: float
    missing: set[Round]
    holder: str = ""
    taken: float = 0.0


class Actor(msgspec.Struct):
    """What an actor said last. ``heard`` is director time; ``holding`` are batch ids."""

    location: str
    heard: float
    holding: frozenset[str] = frozenset()


class Sorted(msgspec.Struct, frozen=True):
    """A report's outcomes: those that vote, those that came after their round was closed."""

    votes: tuple[Outcome, ...]
    late: tuple[Outcome, ...]


class Flights:
    """The table of open rounds, batches and actors. All moments are director time in Unix seconds."""

    def __init__(self) -> None:
        self.rounds: dict[Round, OpenRound] = {}
        self.actors: dict[tuple[str, str], Actor] = {}
        self.untaken: dict[str, float] = {}
        """Locations where a batch outlived its rounds without being taken, and since when."""
        self._flights: dict[str, Flight] = {}
        self._carried: dict[Errand, str] = {}
        self._complete: set[Round] = set()
        self._deadlines: list[tuple[float, Round]] = []

    def open(self, opened: OpenRound) -> None:
        """Begin to wait for the outcomes of a round."""
        self.rounds[opened.round] = opened
        heapq.heappush(self._deadlines, (opened.deadline, opened.round))

    def sent(self, batch: Batch, now: float) -> None:
        """Note that a batch is on its way (or should be: one that could not be sent is found lost in time)."""
        self._flights[batch.id] = Flight(batch.location, now, {job.round for job in batch.jobs})
        for job in batch.jobs:
            self._carried[job.round, batch.location] = batch.id

    def adopt(self, location: str, rounds: Iterable[Round], now: float) -> None:
        """Take over errands that another director sent: unless somebody reports them soon, they are sent again."""
        batch = f"adopted/{location}/{now:.3f}"
        self._flights[batch] = Flight(location, now, set(rounds))
        for round_ in self._flights[batch].missing:
            self._carried[round_, location] = batch

    def heard(self, report: Report, now: float, *, alive: bool = True) -> Sorted:
        """Take in what an actor said, and sort its outcomes; those that nobody asked for are left out.

        Without ``alive`` the report is too old to tell whether its actor lives and what it holds.
        """
        if alive:
            self.actors[report.location, report.actor] = Actor(report.location, now, frozenset(report.holding))
        for batch in report.taken:
            self.untaken.pop(report.location, None)
            flight = self._flights.get(batch)
            if flight is not None:
                flight.holder, flight.taken = report.actor, now
        votes, late = [], []
        for outcome in (each for each in report.outcomes if each.location == report.location):
            opened = self.rounds.get(outcome.round)
            if opened is None:
                late.append(outcome)
            elif self.vote(opened, outcome):
                votes.append(outcome)
        return Sorted(tuple(votes), tuple(late))

    def vote(self, opened: OpenRound, outcome: Outcome) -> bool:
        """Count an outcome as its location's vote; False: it was not asked for, or had voted already."""
        if outcome.location not in opened.asked or outcome.location in opened.votes:
            return False
        opened.votes[outcome.location] = outcome
        self._drop((opened.round, outcome.location))
        if len(opened.votes) == len(opened.asked):
            self._complete.add(opened.round)
        return True

    def closable(self, now: float) -> list[OpenRound]:
        """Return rounds that all locations have reported, and rounds past their deadline, by due moment."""
        ready = set(self._complete)
        while self._deadlines and self._deadlines[0][0] <= now:
            ready.add(heapq.heappop(self._deadlines)[1])
        self._complete |= ready & self.rounds.keys()
        return sorted((self.rounds[each] for each in ready if each in self.rounds), key=lambda each: each.round)

    def bus_is_back(self) -> None:
        """Forget what was not taken: while the broker was away, nobody could."""
        self.untaken.clear()

    def forget(self, closed: Iterable[OpenRound], now: float) -> None:
        """Let closed rounds go, once that they are is stored."""
        for opened in closed:
            self.rounds.pop(opened.round, None)
            self._complete.discard(opened.round)
            for location in opened.asked:
                flight = self._drop((opened.round, location))
                if flight is not None and not flight.holder:
                    self.untaken.setdefault(location, now)

    def lost(self, now: float) -> dict[str, list[OpenRound]]:
        """Return by location the rounds to send again; each is returned once for each loss of its batch."""
        found: dict[str, list[OpenRound]] = {}
        for batch in [id_ for id_, flight in self._flights.items() if self._is_lost(id_, flight, now)]:
            flight = self._flights.pop(batch)
            for round_ in sorted(flight.missing):
                self._carried.pop((round_, flight.location), None)
                opened = self.rounds.get(round_)
                if opened is not None and self._may_resend(opened, flight, now):
                    opened.resent.add(flight.location)
                    found.setdefault(flight.location, []).append(opened)
        return found

    def alive(self, location: str, now: float) -> list[str]:
        """Return the actors of a location that have been heard lately."""
        return sorted(
            actor for (where, actor), facts in self.actors.items() if where == location and now - facts.heard <= SILENCE
        )

    def forget_actors(self, before: float) -> None:
        """Forget actors not heard since ``before``."""
        for key in [key for key, facts in self.actors.items() if facts.heard < before]:
            del self.actors[key]

    def _drop(self, errand: Errand) -> Flight | None:
        """Take an errand off its batch; return the batch it was on."""
        batch = self._carried.pop(errand, None)
        flight = self._flights.get(batch) if batch else None
        if flight is not None and batch:
            flight.missing.discard(errand[0])
            if not flight.missing:
                del self._flights[batch]
        return flight

    def _is_lost(self, batch: str, flight: Flight, now: float) -> bool:
        if not flight.holder:
            return now - flight.sent > SILENCE and bool(self.alive(flight.location, now))
        holder = self.actors.get((flight.location, flight.holder))
        if holder is None or now - holder.heard > SILENCE:
            return True
        dropped = batch not in holder.holding
        return dropped and holder.heard > flight.taken

    def _may_resend(self, opened: OpenRound, flight: Flight, now: float) -> bool:
        """An attempt must fit; and a round that nobody takes is sent twice at most, lest the queue fill with copies."""
        fits = now + opened.check.target.timeout <= opened.deadline
        return fits and (bool(flight.holder) or flight.location not in opened.resent)
