"""A leader's term: what is under way, and the loop that directs, collects and closes.

Nothing is acted upon before it is stored: a round is remembered before its batches go out, and the bus keeps a
report until its outcomes are committed. So a leader that dies at any point is followed by one that finds every
round either open (by its ticket) or closed (by its verdict).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import count

import msgspec

from nightowl.core import incident
from nightowl.core.errors import StoreUnavailable
from nightowl.core.flight import Flights, OpenRound
from nightowl.core.portions import EVALUATORS
from nightowl.core.rule import Rule
from nightowl.core.schedule import AHEAD, STEP, Schedule, resumed
from nightowl.core.series import MOST_SERIES
from nightowl.core.strategies import BUILT_IN, Strategy
from nightowl.core.telling import Telling, family, of_check, of_rule, slots
from nightowl.core.values import Check, CheckState, Location, Maintenance, Round, Route
from nightowl.flows import faults
from nightowl.flows.checkbook import CheckBook
from nightowl.flows.close import Closing, abandon, close, write
from nightowl.flows.collect import Intake
from nightowl.flows.compact import Compactor
from nightowl.flows.direct import Dispatcher, by_location, open_rounds
from nightowl.flows.evaluate import Evaluator
from nightowl.flows.evaluate_sources import SourceEvaluator
from nightowl.flows.figures import Figures
from nightowl.flows.found import Found
from nightowl.flows.hearing import Ears
from nightowl.flows.heartbeats import Heartbeats
from nightowl.flows.retain import Retainer
from nightowl.flows.rhythm import Rhythm
from nightowl.flows.rulebook import RuleBook
from nightowl.flows.sink_faults import LOOK as SINK_LOOK
from nightowl.flows.sink_faults import METRIC as SINK_UP
from nightowl.flows.sink_faults import sink_faults
from nightowl.flows.tell import tell
from nightowl.flows.vigil import Vigil
from nightowl.ports import Bus, Clock, Lease, Store, StoredCheck, StoredRule, Ticket, Unit
from nightowl.ports.clusters import ClusterStates

log = logging.getLogger(__name__)

INTAKE_LIMIT = 2000
"""Reports held in memory at most while the store does not answer; the bus keeps the rest."""

RECEIVE = 500
"""Reports taken from the bus in one tick at most."""

STALL = 2.0
"""Seconds between two ticks after which the director itself stood still, and heard nobody meanwhile."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration says to the leader; a reload replaces it whole.

    ``rules`` look at series of NightOwl's own, ``source_rules`` at those of sources. ``resend``: seconds after which a
    channel wants to be told again of what is open. ``retention`` has the seconds that each kind of row is kept,
    ``max_size`` the bytes the store may take, ``max_series`` how many series it may know. ``clusters`` are the watched
    ones, with the checks and rules that each depends on.
    """

    locations: Mapping[str, Location]
    routes: Sequence[Route]
    public_url: str = ""
    maintenance: Sequence[Maintenance] = ()
    resend: Mapping[str, float] = {}
    rules: Mapping[str, Rule] = {}
    source_rules: Mapping[str, Rule] = {}
    retention: Mapping[str, float] = {}
    max_size: int | None = None
    max_series: int = MOST_SERIES
    clusters: Mapping[str, Sequence[str]] = {}


def telling_of(plan: Plan, checks: Mapping[str, Check], rules: Mapping[str, Rule]) -> Telling:
    """Put together who is told what, for the checks and rules there are."""
    return Telling(
        routes=plan.routes,
        public_url=plan.public_url,
        maintenance=plan.maintenance,
        parents=family(
            [*map(of_check, checks.values()), *map(of_rule, [*rules.values(), *plan.source_rules.values()])],
            plan.clusters,
        ),
        clusters=plan.clusters,
        slots=slots(checks.values()),
        resend=plan.resend,
    )


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What a leader works with.

    ``compile_check`` and ``compile_rule`` make a check and a rule of its stored definition (they raise
    ``ConfigurationError``); ``plan`` gives the configuration in force; ``strategies`` are the installed ones by name;
    ``ears`` tell until when the events of clusters were heard; ``states`` is where their watchers write (None:
    nowhere).
    """

    store: Store
    bus: Bus
    clock: Clock
    compile_check: Callable[[StoredCheck], Check]
    compile_rule: Callable[[StoredRule], Rule]
    plan: Callable[[], Plan]
    ears: Ears
    strategies: Mapping[str, Strategy] = msgspec.field(default_factory=lambda: BUILT_IN)
    states: ClusterStates | None = None


class Leadership:
    """One term. Made after the lease was taken: it reads what the store knows and goes on from there."""

    def __init__(self, parts: Parts, lease: Lease, book: CheckBook) -> None:
        """``book`` outlives the term; it is brought up to date here."""
        self._parts = parts
        self._lease = lease
        self._book = book
        self._rulebook = RuleBook(parts.compile_rule)
        self._rhythm = Rhythm(parts.clock)
        self._flights = Flights(parts.clock.now())
        self._intake = Intake()
        self.figures = Figures()
        self._faults = faults.Faults()
        self._retainer = Retainer(parts.store, lease)
        self._compactor = Compactor(parts.store, lease)
        self._heartbeats = Heartbeats(parts.store, lease, book, parts.ears)
        self._evaluator = Evaluator(parts.store, lease, parts.strategies)
        self._vigil = Vigil(parts.store, lease)
        self._telling = Telling()
        self._sources = SourceEvaluator(parts.store, lease, parts.bus, self._next_id, parts.strategies)
        self._found = Found(parts.store, lease, parts.states)
        self._beside = Rhythm(parts.clock)
        self._sinks: dict[str, faults.Fault] = {}
        self._dispatcher = Dispatcher(parts.bus, self._flights, self._next_id)
        self._ids = count(1)
        self._tickets: Counter[str] = Counter()
        self._done: list[str] = []
        self._waiting: list[Round] = []
        self._missed = 0
        self._began = self._ticked = parts.clock.now()
        self._states: dict[str, CheckState] = {}
        self._some_stopped = True
        self._feed = 0
        self._schedule = Schedule(parts.clock.now())
        self._take_over()

    # -- taking over -----------------------------------------------------------------------------------------------

    def _take_over(self) -> None:
        with self._parts.store.read() as unit:
            self._feed = unit.feed.last()
            self._book.load(unit, self._parts.plan())
            self._rulebook.load(unit, self._parts.plan().rules)
            self._states = {state.check: state for state in unit.rounds.states()}
            self.figures.missed = unit.rounds.missed()
            since = unit.rounds.scheduled_until()
            now = self._parts.clock.now()
            self._flights.roster.restore(unit.actors.all(), now)
            self._schedule = Schedule(resumed(since, now))
            self._reschedule(now)
            self._heartbeats.take_over(unit, now)
            self._vigil.take_over(unit)
            self._found.take_over(unit)
            self._sources.take_over(unit, self._parts.plan().source_rules, now)
            for ticket in unit.rounds.open_tickets():
                self._reopen(unit, ticket, now)
            for outcome in unit.rounds.votes(list(self._flights.rounds)):
                self._flights.vote(self._flights.rounds[outcome.round], outcome)
        for location, opened in by_location(self._flights.rounds.values()).items():
            missing = [each.round for each in opened if location not in each.votes]
            self._flights.adopt(location, missing, now)

    def _reopen(self, unit: Unit, ticket: Ticket, now: float) -> None:
        """Take over a ticket; rounds that were due by a clock that has been set back since are missed."""
        closed = unit.rounds.closed(ticket.rounds)
        left = [each for each in ticket.rounds if each not in closed]
        timely = [each for each in left if each.due <= now + STEP]
        self._missed += len(left) - len(timely)
        opened = open_rounds(timely, self._book.checks, ticket.id)
        if not opened:
            self._done.append(ticket.id)
        self._tickets[ticket.id] = len(opened)
        for each in opened:
            self._flights.open(each)

    def _reschedule(self, now: float) -> None:
        """Let the schedule have the checks that run; those that cannot are NightOwl's own fault."""
        self._faults.uncompiled(self._book.broken, self._rulebook.broken, now)
        self._telling = telling_of(self._parts.plan(), self._book.checks, self._rulebook.rules)
        self._heartbeats.wake()
        self._some_stopped = True
        running = [check for check in self._book.checks.values() if not check.paused and check.heartbeat is None]
        self._schedule.keep_only([check.name for check in running])
        for check in running:
            new = None if check.name in self._states else now
            self._schedule.put(check.name, check.every, new_at=new)

    # -- the loop --------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Do what is due now. Raises ``LeaseLost`` or ``Unavailable``; nothing is lost by calling again."""
        parts = self._parts
        self._listen(parts.clock.now())
        if self._rhythm.due("feed", 0.25):
            self._follow_feed(parts.clock.now())
        reports = parts.bus.receive(RECEIVE) if len(self._intake) < INTAKE_LIMIT else ()
        now = parts.clock.now()  # after them: a store that is slow must not let rounds close before they were run
        self._intake.take(reports, self._flights, now)
        due = self._schedule.pop(now + AHEAD)
        self._missed += due.missed
        self._waiting.extend(due.rounds)
        try:
            self._follow_heartbeats(now)
            opened = self._commit(now)
        except StoreUnavailable:
            self._faults.store_failed(now)
            raise
        self._send(by_location(opened), now)
        if self._rhythm.due("lost", 0.25):
            lost = self._flights.lost(now)
            self.figures.resent += sum(map(len, lost.values()))
            self._send(lost, now)
        self._keep_house(now)

    def _follow_heartbeats(self, now: float) -> None:
        closing = self._heartbeats.step(self._states, self._telling, now)
        self._states.update(closing.states)
        self.figures.closed(closing.verdicts)

    def evaluate(self) -> None:
        """Evaluate the rules if it is time, and take in what was found in clusters.

        ``tick`` may go on in another thread meanwhile.

        Raises ``LeaseLost`` or ``Unavailable``.
        """
        plan, began, now = self._parts.plan(), self._parts.clock.monotonic(), self._parts.clock.now()
        rules = self._rulebook.rules
        if self._evaluator.step(rules, self._telling, now) and rules:
            self.figures.evaluation = self._parts.clock.monotonic() - began
        self._sources.step(plan.source_rules, self._telling, now)
        if self._beside.due("found", 1.0):
            self._found.step(plan.clusters.keys(), self._telling, now)

    def _listen(self, now: float) -> None:
        """Note the locations that cannot be heard: their broker is away, or this process stood still."""
        stalled = not 0 <= now - self._ticked <= STALL
        self._ticked = now
        for location in self._parts.plan().locations:
            if stalled or not self._parts.bus.reachable(location):
                self._flights.roster.deaf(location, now)

    def _commit(self, now: float) -> list[OpenRound]:
        """Write all that this tick decides in one transaction; return the rounds that it opened."""
        closable = self._flights.closable(now)
        closing = close(closable, self._states, now)
        opened = open_rounds(self._waiting, self._book.checks, ticket=self._next_id())
        if not (closable or opened or self._missed or self._intake):
            self._waiting.clear()
            return []
        done = self._finished(closable)
        with self._parts.store.transaction(self._lease) as unit:
            self._intake.store(unit)
            write(unit, closing, self._telling, now)
            if opened or self._missed:
                ticket = Ticket(id=opened[0].ticket, rounds=tuple(each.round for each in opened)) if opened else None
                unit.rounds.dispatch(ticket, now + AHEAD, self.figures.missed + self._missed)
            if done:
                unit.rounds.finish(done)
        self._committed(closable, closing, opened, now)
        return opened

    def _finished(self, closable: Sequence[OpenRound]) -> list[str]:
        """Return the tickets whose last open rounds are among these."""
        closing = Counter(each.ticket for each in closable)
        return self._done + [ticket for ticket, count in closing.items() if self._tickets[ticket] <= count]

    def _committed(
        self, closable: Sequence[OpenRound], closing: Closing, opened: Sequence[OpenRound], now: float
    ) -> None:
        self.figures.started(closable, now)
        self.figures.missed += self._missed
        self._missed = 0
        self.figures.refused.update(self._intake.refused)
        self._evaluator.take_outcomes(self._intake.votes)
        self._evaluator.take_outcomes(self._intake.late)
        self.figures.late += self._intake.stored()
        self.figures.closed(closing.verdicts)
        self._flights.forget(closable, now)
        self._states.update(closing.states)
        self._some_stopped |= not all(map(self._runs, closing.states))
        self._waiting.clear()
        self._done.clear()
        for each in closable:
            self._tickets[each.ticket] -= 1
        self._tickets.update(each.ticket for each in opened)
        self._tickets = +self._tickets
        for each in opened:
            self._flights.open(each)

    def _send(self, rounds: Mapping[str, Sequence[OpenRound]], now: float) -> None:
        if rounds:
            refused = self._dispatcher.send(rounds, self._parts.plan().locations, now)
            if self._faults.bus(refused > 0, now):
                self._flights.bus_is_back()

    # -- besides ---------------------------------------------------------------------------------------------------

    def _follow_feed(self, now: float) -> None:
        plan = self._parts.plan()
        with self._parts.store.read() as unit:
            items = unit.feed.after(self._feed, 1000)
            changed = {item.subject for item in items if item.kind == "check"}
            if self._rulebook.needs([item.subject for item in items if item.kind == "rule"], plan.rules):
                self._rulebook.load(unit, plan.rules)
                self._faults.uncompiled(self._book.broken, self._rulebook.broken, self._parts.clock.now())
                self._telling = telling_of(plan, self._book.checks, self._rulebook.rules)
            if self._book.needs(changed, plan):
                self._book.follow(unit, changed, plan)
                self._reschedule(self._parts.clock.now())
        self._end_incidents(now)
        self._vigil.follow(items)
        for item in items:
            self._feed = item.id
            verb, _, name = item.subject.partition(":")
            if item.kind == "request" and verb == "run" and name in self._book.checks:
                self._waiting.append(Round(round(now, 3), name))
            elif item.kind == "ping":
                self._heartbeats.wake()

    def _end_incidents(self, now: float) -> None:
        """Resolve what is open about checks that do not run any more."""
        if not self._some_stopped:
            return
        with self._parts.store.read() as unit:
            ended = [each for each in unit.incidents.open() if each.kind == "check" and not self._runs(each.subject)]
        stopped = {name: state for name, state in self._states.items() if state.incident and not self._runs(name)}
        resting = {name: incident.rest(state) for name, state in stopped.items()}
        if ended:
            with self._parts.store.transaction(self._lease) as unit:
                kept = {stored.name for stored in unit.checks.all()}
                abandon(unit, ended, kept, self._telling, now)
                unit.rounds.close([], [state for name, state in resting.items() if name in kept])
        self._states.update(resting)
        self._some_stopped = False

    def _runs(self, name: str) -> bool:
        check = self._book.checks.get(name)
        return check is not None and not check.paused

    def _keep_house(self, now: float) -> None:
        plan = self._parts.plan()
        if self._rhythm.due("faults", 1.0):
            self._tell_faults(plan, now)
        if self._rhythm.due("figures", 10.0):
            self._measure(plan, now)
        if self._rhythm.due("vigil", 1.0):
            self._vigil.step(self._telling, now)
        if self._rhythm.due("retain", 1.0):
            self._retainer.step(plan.retention, plan.max_size, now)
        if self._rhythm.due("compact", 0.25):
            self._compactor.step(plan.max_series, now)
        if self._rhythm.due("actors", 3.0):
            self._note_actors(now)

    def _tell_faults(self, plan: Plan, now: float) -> None:
        for name in plan.locations:
            self._faults.foreign(name, self._parts.bus.foreign(name), now)
        with self._parts.store.read() as unit:
            self._faults.refused(unit.series.refused().at, plan.max_series, now)
            current = self._faults.current(self._flights, self._states, self._book.checks, now)
            if self._rhythm.due("sinks", 10.0):
                self._sinks = sink_faults(unit.series.window(SINK_UP, {}, now - SINK_LOOK, now), now)
            current |= {**self._sources.faults(now), **self._found.faults(), **self._unevaluated(now), **self._sinks}
            found = faults.changes(current, unit.incidents.open(), now, heard=self._flights.roster.hears(now))
        if found:
            with self._parts.store.transaction(self._lease) as unit:
                tell(unit, found, self._telling, now)
        self._faults.told()

    def _unevaluated(self, now: float) -> dict[str, faults.Fault]:
        """Rules that are not evaluated, in the other thread."""
        since = self._evaluator.stuck(self._began, now) if self._rulebook.rules else None
        return {} if since is None else {"rules": faults.Fault("rules are not evaluated", since)}

    def _note_actors(self, now: float) -> None:
        """Let other processes know who is there."""
        self._flights.roster.forget(now)
        with self._parts.store.transaction(self._lease) as unit:
            unit.actors.put(self._flights.roster.seen(now))

    def _measure(self, plan: Plan, now: float) -> None:
        lengths = {f"nightowl.check.{name}": self._parts.bus.backlog(name) for name in plan.locations}
        if plan.source_rules:
            lengths["nightowl.evaluate"] = self._parts.bus.backlog(EVALUATORS)
        backlog = {queue: length for queue, length in lengths.items() if length is not None}
        with self._parts.store.transaction(self._lease) as unit:
            samples = [*self.figures.samples(now, backlog, unit.outbox.oldest()), *self._sources.samples(now)]
            unit.series.append("director", now, samples)

    def _next_id(self) -> str:
        return f"{self._lease.epoch}.{next(self._ids)}"  # in one step, as two threads ask
