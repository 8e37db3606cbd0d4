"""Evaluate: every step, all rules over the head.

The head is fed with what this leader has stored, after each commit, and read anew when a term begins or the rules
change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import floor

from nightowl.core.evaluation import Evaluation, spans_of
from nightowl.core.head import Head
from nightowl.core.measures import OF_CHECKS, of_outcome
from nightowl.core.rule import STEP, Rule
from nightowl.core.strategies import BUILT_IN, Strategy
from nightowl.core.telling import Telling
from nightowl.core.values import Outcome, Sample
from nightowl.flows.standings import Standings
from nightowl.ports import Lease, Store, Unit


class Evaluator:
    """The rules of one term of leading. All moments are the director's time, in Unix seconds."""

    def __init__(self, store: Store, lease: Lease, strategies: Mapping[str, Strategy] = BUILT_IN) -> None:
        """``strategies`` are the installed ones by name."""
        self._store = store
        self._lease = lease
        self._strategies = strategies
        self._rules: Mapping[str, Rule] | None = None
        self._evaluations: dict[str, Evaluation] = {}
        self._standings = Standings(store, lease)
        self._head = Head()
        self._last = 0.0

    def take_over(self, unit: Unit, rules: Mapping[str, Rule], now: float) -> None:
        """Read where the rules stand, and the samples that they look at."""
        self._standings.take_over(unit)
        self._follow(unit, rules, now)

    def take(self, samples: Iterable[Sample]) -> None:
        """Take samples that were stored."""
        self._head.take(samples)

    def take_outcomes(self, outcomes: Iterable[Outcome]) -> None:
        """Take what locations said, once that is stored."""
        if self._head.keeps(OF_CHECKS):
            self._head.take(sample for outcome in outcomes for sample in of_outcome(outcome))

    def step(self, rules: Mapping[str, Rule], telling: Telling, now: float) -> bool:
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
        self._standings.write(rules, findings, telling, at)
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
        states = self._standings.states()
        for name, evaluation in self._evaluations.items():
            evaluation.recall(floor(now / STEP) * STEP, self._head.known)
            evaluation.states = states.get(name, {})
        self._rules = rules
