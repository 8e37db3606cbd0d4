"""Evaluate: every step, all rules over the head, and what becomes of their incidents, in one transaction.

The head is fed with what this leader has stored, after each commit, and read anew when a term begins or the rules
change. States are stored with the incidents that follow from them, so that a leader goes on where its forerunner
ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import floor

from msgspec.structs import replace

from nightowl.core import rule_incident
from nightowl.core.evaluation import Evaluation, Finding, spans_of
from nightowl.core.head import Head
from nightowl.core.measures import OF_CHECKS, of_outcome
from nightowl.core.rule import STEP, Rule
from nightowl.core.rule_incident import Move, Standing, series_of
from nightowl.core.strategies import BUILT_IN, Strategy
from nightowl.core.values import Change, Outcome, Route, Sample
from nightowl.flows.close import tell
from nightowl.ports import Lease, Store, Unit

Key = tuple[str, str]
"""A rule and a series."""


class Evaluator:
    """The rules of one term of leading. All moments are the director's time, in Unix seconds."""

    def __init__(self, store: Store, lease: Lease, strategies: Mapping[str, Strategy] = BUILT_IN) -> None:
        """``strategies`` are the installed ones by name."""
        self._store = store
        self._lease = lease
        self._strategies = strategies
        self._rules: Mapping[str, Rule] | None = None
        self._evaluations: dict[str, Evaluation] = {}
        self._standings: dict[Key, Standing] = {}
        self._head = Head()
        self._last = 0.0

    def take_over(self, unit: Unit, rules: Mapping[str, Rule], now: float) -> None:
        """Read where the rules stand, and the samples that they look at."""
        self._standings = {(each.rule, each.series): each for each in unit.rules.all()}
        self._follow(unit, rules, now)

    def take(self, samples: Iterable[Sample]) -> None:
        """Take samples that were stored."""
        self._head.take(samples)

    def take_outcomes(self, outcomes: Iterable[Outcome]) -> None:
        """Take what locations said, once that is stored."""
        if self._head.keeps(OF_CHECKS):
            self._head.take(sample for outcome in outcomes for sample in of_outcome(outcome))

    def step(self, rules: Mapping[str, Rule], routes: Sequence[Route], public_url: str, now: float) -> bool:
        """Evaluate where an instant has come since the last time; whether one had.

        Raises ``LeaseLost`` or ``Unavailable``.
        """
        at = floor(now / STEP) * STEP
        if at <= self._last:
            return False
        if rules is not self._rules:
            with self._store.read() as unit:
                self._follow(unit, rules, now)
        self._head.trim(at)
        findings = {name: list(each.at(at, self._head.known)) for name, each in self._evaluations.items()}
        self._write(findings, routes, public_url, at)
        for name, found in findings.items():
            self._evaluations[name].settle(found)
        self._last = at
        return True

    def _follow(self, unit: Unit, rules: Mapping[str, Rule], now: float) -> None:
        """Go over to these rules; where one of them stands is known by its name."""
        spans = spans_of(rules.values(), self._strategies)
        self._head.keep(spans)
        for metric, span in spans.items():
            self._head.take(unit.series.window(metric, {}, now - span, now))
        self._evaluations = {name: Evaluation(rule, STEP, self._strategies) for name, rule in rules.items()}
        for evaluation in self._evaluations.values():
            evaluation.recall(floor(now / STEP) * STEP, self._head.known)
        for (name, _), standing in self._standings.items():
            if name in self._evaluations:
                self._evaluations[name].states[series_of(standing)] = standing.state
        self._rules = rules

    def _write(
        self, findings: Mapping[str, Sequence[Finding]], routes: Sequence[Route], public_url: str, at: float
    ) -> None:
        """Store the states that changed, with the incidents that follow."""
        moved = list(self._moved(findings))
        standings = [standing for standing, _ in moved]
        gone = [each for (name, _), each in self._standings.items() if name not in self._evaluations]
        if not (standings or gone):
            return
        resting = [each for each in standings if each.resting]
        with self._store.transaction(self._lease) as unit:
            changes = [*self._changes(unit, moved), *_abandoned(unit, gone, at)]
            tell(unit, changes, routes, public_url, at)
            unit.rules.put([each for each in standings if not each.resting])
            unit.rules.remove([*resting, *gone])
        self._standings |= {(each.rule, each.series): each for each in standings}
        for each in (*resting, *gone):
            self._standings.pop((each.rule, each.series), None)

    def _moved(self, findings: Mapping[str, Sequence[Finding]]) -> Iterator[tuple[Standing, list[Move]]]:
        for name, found in findings.items():
            rule = self._evaluations[name].rule
            for each in found:
                if each.before != each.after:
                    series = str(each.series)
                    before = self._standings.get((name, series), Standing(rule=name, series=series))
                    yield rule_incident.advance(rule, before, each)

    def _changes(self, unit: Unit, moved: Sequence[tuple[Standing, Sequence[Move]]]) -> Iterator[Change]:
        for standing, moves in moved:
            for move in moves:
                before = None if move.event == "opened" else unit.incidents.get(move.incident)
                if before is not None or move.event == "opened":
                    yield rule_incident.change(self._evaluations[standing.rule].rule, move, before)


def _abandoned(unit: Unit, gone: Sequence[Standing], at: float) -> Iterator[Change]:
    """Resolve the incidents of rules that are not there any more."""
    for standing in gone:
        for identity in standing.open:
            before = unit.incidents.get(identity)
            if before is not None and before.open:
                text = f"{before.subject} is not evaluated any more: the rule was removed"
                yield Change(event="resolved", incident=replace(before, resolved=at), at=at, text=text)
