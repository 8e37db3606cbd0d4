"""Evaluate rules on sources: every step their portions go out to evaluators, and what comes back advances the machine.

Nothing waits for anybody: what an instant has not said by the next one is missed, and missed is not unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import floor

from nightowl.core.errors import Unavailable
from nightowl.core.evaluation import Finding
from nightowl.core.evaluators import GONE, Evaluators, SourceHealth
from nightowl.core.portion_results import by_identifier, departures, findings, portions, settled
from nightowl.core.portions import EVALUATORS, Portion, PortionBatch, PortionReport, PortionResult, batches
from nightowl.core.rule import STEP, Rule
from nightowl.core.rule_incident import asked
from nightowl.core.rule_state import RuleState
from nightowl.core.series import Series
from nightowl.core.strategies import BUILT_IN, Strategy
from nightowl.core.sweep import Sweep
from nightowl.core.telling import Telling
from nightowl.core.values import Sample, Severity
from nightowl.flows.faults import Fault
from nightowl.flows.standings import Standings
from nightowl.ports import Bus, Lease, Store, Unit

RECEIVE = 500
"""Reports taken in one turn at most."""

WRONG_KEY = 60.0
"""Seconds for which a report that was sealed with another key says that an evaluator has a wrong one."""

_OWN = "source/"
_RULE = "rule/"

Portions = dict[str, dict[Series, RuleState]]
"""Where a rule stands for the series of each identifier."""


class SourceEvaluator:
    """The rules on sources in one term of leading. All moments are the director's time, in Unix seconds."""

    def __init__(
        self,
        store: Store,
        lease: Lease,
        bus: Bus,
        new_id: Callable[[], str],
        strategies: Mapping[str, Strategy] = BUILT_IN,
    ) -> None:
        """``new_id`` gives ids of batches; ``strategies`` are the installed ones by name."""
        self._bus = bus
        self._epoch = lease.epoch
        self._new_id = new_id
        self._strategies = strategies
        self._standings = Standings(store, lease, sourced=True)
        self._rules: Mapping[str, Rule] = {}
        self._states: dict[str, Portions] = {}
        self._evaluators = Evaluators(0.0)
        self._health = SourceHealth()
        self._sweep: Sweep | None = None
        self._closed = True
        self._first = self._last = 0.0
        self._fresh: list[PortionReport] = []
        self._unstored: list[tuple[float, dict[str, list[Finding]]]] = []
        self.portions = self.missed = self.late = self.resent = 0
        self.seconds: float | None = None

    def take_over(self, unit: Unit, rules: Mapping[str, Rule], now: float) -> None:
        """Read where the rules stand, and which sources were failing."""
        self._standings.take_over(unit)
        self._evaluators = Evaluators(now)
        states = self._standings.states(rules, now)
        self._states = {name: by_identifier(rule, states.get(name, {})) for name, rule in rules.items()}
        self._rules = rules
        self._first = floor(now / STEP) * STEP
        self._unstored = [(self._first, self._departed(self._first))]
        for each in unit.incidents.open():
            if each.kind == "own" and each.subject.startswith(_OWN):
                self._health.recall(each.subject.removeprefix(_OWN), each.opened)
            elif each.kind == "own" and each.subject.startswith(_RULE):
                self._health.recall_rule(each.subject.removeprefix(_RULE), each.opened)
        self._health.keep({rule.source for rule in rules.values()}, rules)

    def step(self, rules: Mapping[str, Rule], telling: Telling, now: float) -> None:
        """Take what was reported, and send what is due. Raises ``LeaseLost`` or ``Unavailable``."""
        at = floor(now / STEP) * STEP
        self._store(telling)
        if rules is not self._rules:
            self._follow(rules)
            self._unstored.append((at, self._departed(at)))
        self._listen(now)
        if self._sweep is not None and self._sweep.at == at:
            self._take(self._sweep)
        else:
            self._end()
            self._begin(at, now)
        self._late()
        self._store(telling)
        if self._sweep is not None:
            self._resend(self._sweep, now)
            if not self._sweep.missing and not self._closed:
                self.seconds = now - at
                self._close(self._sweep)

    def faults(self, now: float) -> dict[str, Fault]:
        """What is wrong with sources and evaluators, by subject; ``step`` may go on in another thread meanwhile."""
        failures, failing = dict(self._health.failures), dict(self._health.rules)
        found = {
            f"{_OWN}{name}": Fault(
                f"source {name} does not answer as it should: {failure.why}", failure.since, Severity.WARNING
            )
            for name, failure in failures.items()
            if failure.told
        }
        found |= {
            f"{_RULE}{name}": Fault(f"rule {name} cannot be evaluated: {failure.why}", failure.since, Severity.WARNING)
            for name, failure in failing.items()
            if failure.told
        }
        if self._rules and (fault := self._of_evaluators(now)):
            found["evaluators"] = fault
        return found

    def samples(self, now: float) -> list[Sample]:
        """What was counted since the term began; nothing while no rule looks at a source."""
        if not self._rules:
            return []
        counts = {"portions": self.portions, "missed": self.missed, "late": self.late, "resent": self.resent}
        found = [Sample(f"nightowl_evaluate_{name}_total", (), now, value) for name, value in counts.items()]
        took = [] if self.seconds is None else [Sample("nightowl_evaluate_seconds", (), now, self.seconds)]
        self.seconds = None
        return found + took

    # -- sending ---------------------------------------------------------------------------------------------------

    def _begin(self, at: float, now: float) -> None:
        """Begin the sweep of an instant once somebody is there to take it."""
        if at <= self._last or not self._rules or not self._evaluators.alive(now):
            return
        self._missed_between(at)
        self._sweep, self._closed, self._last = Sweep(at, self._epoch), False, at
        for source, due in self._due().items():
            self.portions += len(due)
            for batch in batches(source, due, self._new_id, epoch=self._epoch, at=at, issued=now, expires=at + STEP):
                self._send(self._sweep, batch, now)

    def _due(self) -> dict[str, list[Portion]]:
        """All portions, by source: what is asked of one that hangs must keep none of another waiting."""
        found: dict[str, list[Portion]] = {}
        for name, rule in self._rules.items():
            found.setdefault(rule.source, []).extend(portions(rule, self._known(name)))
        return found

    def _missed_between(self, at: float) -> None:
        """Count the portions of the instants that went by in this term without evaluators."""
        instants = round((at - max(self._last, self._first)) / STEP) - 1
        self.missed += max(instants, 0) * sum(len(rule.identifiers) or 1 for rule in self._rules.values())

    def _send(self, sweep: Sweep, batch: PortionBatch, now: float) -> None:
        """Send a batch; one that the bus refuses is found lost, and is sent again."""
        sweep.sent(batch, now)
        try:
            self._bus.ask(batch)
        except Unavailable:
            return

    def _resend(self, sweep: Sweep, now: float) -> None:
        if not self._evaluators.alive(now):
            return
        for batch in list(sweep.lost(now, self._evaluators.held(now))):
            self.resent += len(batch.portions)
            self._send(sweep, batch, now)

    def _known(self, name: str) -> dict[Series, RuleState]:
        return {series: state for states in self._states[name].values() for series, state in states.items()}

    # -- hearing ---------------------------------------------------------------------------------------------------

    def _listen(self, now: float) -> None:
        if not self._bus.reachable(EVALUATORS):
            self._evaluators.deaf(now)
        self._fresh += self._bus.told(RECEIVE)
        for report in self._fresh:
            self._evaluators.hear(report, now)
        self._fresh = [report for report in self._fresh if report.results]

    def _take(self, sweep: Sweep) -> None:
        """Advance the machine by what was reported of a sweep."""
        found: dict[str, list[Finding]] = {}
        for report in self._fresh:
            for result in sweep.take(report):
                rule = self._rules.get(result.rule)
                if rule is not None and result.identifier in self._states[rule.name]:  # else it was removed meanwhile
                    found.setdefault(rule.name, []).extend(self._advanced(rule, result, sweep.at))
        if found:
            self._unstored.append((sweep.at, found))
        self._fresh = [report for report in self._fresh if (report.at, report.epoch) != (sweep.at, sweep.epoch)]

    def _advanced(self, rule: Rule, result: PortionResult, at: float) -> list[Finding]:
        self._health.note(rule.source, rule.name, result.fault, away=result.away)
        known = self._states[rule.name].get(result.identifier, {})
        found = findings(rule, self._strategies[rule.strategy], result, known, at)
        self._states[rule.name][result.identifier] = settled(found)
        return found

    def _store(self, telling: Telling) -> None:
        """Store what was found, in order; what the store does not take now stays to be stored first."""
        while self._unstored:
            at, found = self._unstored[0]
            kept = {name: each for name, each in found.items() if name in self._rules}
            self._standings.write(self._rules, kept, telling, at)
            del self._unstored[0]

    def _late(self) -> None:
        """Drop and count what belongs to an instant that is over."""
        self.late += sum(len(report.results) for report in self._fresh)
        self._fresh.clear()

    # -- besides ---------------------------------------------------------------------------------------------------

    def _follow(self, rules: Mapping[str, Rule]) -> None:
        """Go over to these rules; where one of them stands is known by its name, as long as it asks the same."""
        same = {name for name, rule in rules.items() if asked(rule) == asked(self._rules.get(name, rule))}
        if len(same) < len(rules):
            self._end()  # what is under way answers what is not asked any more
        known = {name: self._known(name) for name in same & self._states.keys()}
        self._rules = rules
        self._states = {name: by_identifier(rule, known.get(name, {})) for name, rule in rules.items()}
        self._health.keep({rule.source for rule in rules.values()}, rules)

    def _departed(self, at: float) -> dict[str, list[Finding]]:
        found = {name: departures(rule, self._known(name), at) for name, rule in self._rules.items()}
        for name, rule in self._rules.items():
            kept = rule.identifiers or ("",)
            self._states[name] = {each: self._states[name].get(each, {}) for each in kept}
        return found

    def _end(self) -> None:
        """The instant is over: what is missing of it is missed."""
        if self._sweep is not None:
            self.missed += self._sweep.missing
            self._close(self._sweep)
            self._sweep = None

    def _close(self, sweep: Sweep) -> None:
        if not self._closed:
            self._closed = True
            self._health.close(sweep.at)

    def _of_evaluators(self, now: float) -> Fault | None:
        since = self._evaluators.gone(now)
        foreign = self._bus.foreign(EVALUATORS)
        if foreign is not None and now - foreign <= WRONG_KEY:
            summary = (
                "what evaluators report is sealed by another [server] secret_key than the director's, so rules on "
                "sources are not evaluated by them"
            )
            return Fault(summary, foreign if since is None else min(since, foreign))
        if since is None:
            return None
        summary = (
            f"no evaluator has been heard for {GONE:.0f} s, so rules on sources are not evaluated: "
            "nightowl evaluator runs one"
        )
        return Fault(summary, since)
