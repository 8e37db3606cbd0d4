"""Rounds under way: which location has been asked what, who holds it, and what must be sent again.

A batch is *taken* when an actor says so, and *held* while that actor's reports keep naming it. When the holder is
silent, or has dropped the batch, or the batch is not taken although an actor of the location is alive, the jobs
that nobody has reported are lost and must be sent again. The first outcome of a round and location wins; all others,
and those that nobody asked for, are refused.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Literal, get_args

import msgspec

from nightowl.core.plausible import fits_together, is_plausible
from nightowl.core.roster import SILENCE, Roster
from nightowl.core.skew import corrected
from nightowl.core.values import Batch, Check, Outcome, Report, Round

REMEMBERED = 50_000
"""Closed rounds with missing votes that are remembered, so that a late outcome is told from one that is made up."""

Refusal = Literal["malformed", "foreign", "repeated", "unasked", "crowd"]
"""Why a result is not taken in: nothing that attempts can lead to; of another location than its reporter's, or of one
that was not asked; the location has voted already; or of a round that nobody waits for. Of a crowd: what an actor says
of itself where its location has no room for another one; its results count."""

REFUSALS: tuple[Refusal, ...] = get_args(Refusal)
"""All of them."""

Errand = tuple[Round, str]
"""A round at a location."""


class OpenRound(msgspec.Struct):
    """A round that is not closed. ``asked`` are its locations, ``votes`` the outcomes that came in time.

    ``started`` has the director time at which the first attempt of each of them began, as far as it is known.
    """

    check: Check
    round: Round
    asked: tuple[str, ...]
    deadline: float
    ticket: str
    votes: dict[str, Outcome] = {}
    resent: set[str] = set()
    started: dict[str, float] = {}


class Flight(msgspec.Struct):
    """A batch on its way. ``sent`` and ``taken`` are director time, ``holder`` the actor that took it.

    ``adopted``: another director sent it, who may have known that it was taken.
    """

    location: str
    sent: float
    missing: set[Round]
    holder: str = ""
    taken: float = 0.0
    adopted: bool = False


class Sorted(msgspec.Struct):
    """A report's outcomes: those that vote, those that came after their round was closed, and the refused ones."""

    votes: list[Outcome] = []
    late: list[Outcome] = []
    refused: Counter[Refusal] = msgspec.field(default_factory=Counter)


class Flights:
    """The table of open rounds, batches and actors. All moments are director time in Unix seconds."""

    def __init__(self, now: float) -> None:
        """``now`` is when the term begins."""
        self.rounds: dict[Round, OpenRound] = {}
        self.roster = Roster(now)
        self.untaken: dict[str, float] = {}
        """Locations where a batch outlived its rounds without being taken, and since when."""
        self._flights: dict[str, Flight] = {}
        self._carried: dict[Errand, str] = {}
        self._complete: set[Round] = set()
        self._deadlines: list[tuple[float, Round]] = []
        self._lacking: dict[Round, set[str]] = {}

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
        self._flights[batch] = Flight(location, now, set(rounds), adopted=True)
        for round_ in self._flights[batch].missing:
            self._carried[round_, location] = batch

    def heard(self, report: Report, now: float, *, alive: bool = True) -> Sorted:
        """Take in what an actor said, and sort its outcomes.

        Without ``alive`` the report is too old to tell whether its actor lives and what it holds.
        """
        found = Sorted()
        if not is_plausible(report):
            found.refused["malformed"] += 1 + len(report.outcomes)
            return found
        actor = self.roster.hear(report, now) if alive else self.roster.get(report.location, report.actor)
        if alive and actor is None:
            found.refused["crowd"] += 1
        else:
            for batch in report.taken:
                self._taken(batch, report, now)
        skew = actor.skew.told(now) if actor else None
        for outcome in report.outcomes:
            self._sort(found, corrected(outcome, skew), report.location)
        return found

    def vote(self, opened: OpenRound, outcome: Outcome) -> bool:
        """Count an outcome as its location's vote; False: it was not asked, or had voted already."""
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
            self._remember(opened)
            for location in opened.asked:
                flight = self._drop((opened.round, location))
                if flight is not None and not flight.holder and not (flight.adopted and now - flight.sent <= SILENCE):
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

    def _taken(self, batch: str, report: Report, now: float) -> None:
        self.untaken.pop(report.location, None)
        flight = self._flights.get(batch)
        if flight is not None and flight.location == report.location:
            flight.holder, flight.taken = report.actor, now

    def _sort(self, found: Sorted, outcome: Outcome, location: str) -> None:
        """Put an outcome that ``location`` reports where it belongs."""
        opened = self.rounds.get(outcome.round)
        refusal = _refusal(outcome, location, opened, self._lacking.get(outcome.round, ()))
        if refusal:
            found.refused[refusal] += 1
        elif opened is None:
            self._lacking[outcome.round].discard(location)
            found.late.append(outcome)
        elif self.vote(opened, outcome):
            if outcome.attempts:
                opened.started[location] = outcome.attempts[0].started
            found.votes.append(outcome)

    def _remember(self, closed: OpenRound) -> None:
        lacking = set(closed.asked) - closed.votes.keys()
        if lacking:
            self._lacking[closed.round] = lacking
            if len(self._lacking) > REMEMBERED:
                del self._lacking[next(iter(self._lacking))]

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
            return now - flight.sent > SILENCE and bool(self.roster.alive(flight.location, now))
        holder = self.roster.get(flight.location, flight.holder)
        if holder is None or now - holder.heard > SILENCE:
            return True
        dropped = batch not in holder.holding
        return dropped and holder.heard > flight.taken

    def _may_resend(self, opened: OpenRound, flight: Flight, now: float) -> bool:
        """An attempt must fit; and a round that nobody takes is sent twice at most, lest the queue fill with copies."""
        fits = now + opened.check.target.timeout <= opened.deadline
        return fits and (bool(flight.holder) or flight.location not in opened.resent)


def _refusal(
    outcome: Outcome, location: str, opened: OpenRound | None, lacking: Collection[str]
) -> Refusal | Literal[""]:
    """Say why an outcome that ``location`` reports is not taken in. ``lacking``: whose votes a closed round lacks."""
    if not fits_together(outcome):
        return "malformed"
    if outcome.location != location:
        return "foreign"
    if opened is None:
        return "" if location in lacking else "unasked"
    if location not in opened.asked:
        return "foreign"
    if location in opened.votes:
        return "repeated"
    return "" if len(outcome.attempts) <= opened.check.attempts else "malformed"
