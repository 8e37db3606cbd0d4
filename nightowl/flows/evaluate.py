"""Evaluate: every step, all rules over the head.

The head is fed with what this leader has stored, after each commit, and read anew when a term begins or the rules
change. Samples may be given to it from another thread than the one that evaluates.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from math import floor

from nightowl.core.measures import OF_CHECKS, of_outcome
from nightowl.core.rule import STEP, Rule
from nightowl.core.strategies import BUILT_IN, Strategy
from nightowl.core.telling import Telling
from nightowl.core.values import Outcome, Sample
from nightowl.core.vector.evaluation import Evaluation, needs
from nightowl.core.vector.head import Head
from nightowl.flows.standings import Standings
from nightowl.ports import Lease, Store

LAG = 5.0
"""Seconds after an instant at which it is evaluated, once.

Samples that are stored no later than that after their event count as they would in a backtest. Later ones count from
the next instant on; what was decided stands.
"""

_SKEW = 3600.0
"""Seconds in the future that a sample may lie in, by a clock that is ahead."""


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
        self._head = Head({})
        self._arrived: deque[tuple[Sequence[str], Iterable[Sample]]] = deque()
        self._last: float | None = None

    def take(self, samples: Sequence[Sample]) -> None:
        """Take samples that were stored."""
        self._arrived.append(((), samples))

    def take_outcomes(self, outcomes: Iterable[Outcome]) -> None:
        """Take what locations said, once that is stored."""
        found = tuple(outcomes)
        if found:
            self._arrived.append((OF_CHECKS, chain.from_iterable(map(of_outcome, found))))

    def step(self, rules: Mapping[str, Rule], telling: Telling, now: float) -> bool:
        """Evaluate where the time for an instant has come since the last call; whether it had.

        Raises ``LeaseLost`` or ``Unavailable``.
        """
        at = floor((now - LAG) / STEP) * STEP
        if self._last is not None and at <= self._last:
            return False
        if rules is not self._rules:
            self._follow(rules, at, now)
        self._drain()
        self._read_of_long_ago(at)
        self._trim(at)
        findings = {name: each.at(at) for name, each in self._evaluations.items()}
        self._standings.write(rules, findings, telling, at)
        for each in self._evaluations.values():
            each.settle()
        self._last = at
        return True

    def _follow(self, rules: Mapping[str, Rule], at: float, now: float) -> None:
        """Go over to these rules; where one of them stands is known by its name."""
        self._rules = None
        self._arrived.clear()  # what is in there was stored, and is read below
        needed = needs(rules.values(), self._strategies)
        head = Head(needed)
        with self._store.read() as unit:
            if self._last is None:
                self._standings.take_over(unit)
            for metric, need in needed.items():
                head.take(unit.series.window(metric, {}, now - need.span, now + _SKEW))
        states = self._standings.states()
        evaluations = {name: Evaluation(rule, head, STEP, self._strategies) for name, rule in rules.items()}
        for name, each in evaluations.items():
            each.restore(states.get(name, {}))
            each.recall(at)
        self._head, self._evaluations, self._rules = head, evaluations, rules

    def _drain(self) -> None:
        """Let the head have what has arrived."""
        for _ in range(len(self._arrived)):
            metrics, samples = self._arrived.popleft()
            if not metrics or self._head.keeps(metrics):
                self._head.take(samples)

    def _read_of_long_ago(self, at: float) -> None:
        """Let the head have what rules look at from a day or a week ago."""
        for reading in self._head.wanted(at):
            with self._store.read() as unit:
                found = unit.series.window(reading.metric, {}, reading.start, reading.end)
            self._head.take(found, reading.span)
            self._head.read(reading)

    def _trim(self, at: float) -> None:
        for each in self._evaluations.values():
            each.hold()
        self._head.trim(at)
        for each in self._evaluations.values():
            each.trim(at)
