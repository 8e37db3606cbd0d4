"""Evaluate: every step, all rules over the head.

The head is fed with the tail of the series that all roles append, and with what this leader has stored of checks, after
each commit; it is read anew when a term begins or the rules change. Outcomes may be given to it from another thread
than the one that evaluates.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from math import floor

from nightowl.core.frame import joined
from nightowl.core.measures import OF_CHECKS, of_outcome
from nightowl.core.rule import STEP, Rule
from nightowl.core.strategies import BUILT_IN, Strategy
from nightowl.core.telling import Telling
from nightowl.core.values import Outcome
from nightowl.core.vector.evaluation import Evaluation, needs
from nightowl.core.vector.head import Head, Reading
from nightowl.flows.standings import Standings
from nightowl.ports import Lease, Store, Unit

LAG = 5.0
"""Seconds after an instant at which it is evaluated, once.

Samples that are stored no later than that after their event count as they would in a backtest. Later ones count from
the next instant on; what was decided stands.
"""

STUCK = 60.0
"""Seconds without an evaluation after which that is a fault."""

AWAY = 1500.0
"""Seconds without a look at the tail after which the head is read anew: what was appended may have been packed."""

_FRAMES = 1000
"""Frames taken of the tail at once."""

_SLICE = 600.0
"""Seconds of history read at once, so that reading takes little memory."""

_SLICES = 1000
"""Slices that a history is read in at most: a long one is read in longer ones."""

_SKEW = 3600.0
"""Seconds in the future that a sample may lie in, by a clock that is ahead."""


class Evaluator:
    """The rules of one term of leading. All moments are the director's time, in Unix seconds."""

    def __init__(self, store: Store, lease: Lease, strategies: Mapping[str, Strategy] = BUILT_IN) -> None:
        """``strategies`` are the installed ones by name. ``last``: the newest instant that was evaluated."""
        self._store = store
        self._lease = lease
        self._strategies = strategies
        self._rules: Mapping[str, Rule] | None = None
        self._evaluations: dict[str, Evaluation] = {}
        self._standings = Standings(store, lease)
        self._head = Head({})
        self._arrived: deque[Sequence[Outcome]] = deque()
        self._position = 0
        self._tailed = 0.0
        self.last: float | None = None

    def take_outcomes(self, outcomes: Iterable[Outcome]) -> None:
        """Take what locations said, once that is stored."""
        found = tuple(outcomes)
        if found:
            self._arrived.append(found)

    def stuck(self, began: float, now: float) -> float | None:
        """Since when nothing was evaluated, in a term that ``began`` then, where that is too long (None: it is not)."""
        since = max(began, self.last or began)
        return since if now - since > STUCK else None

    def step(self, rules: Mapping[str, Rule], telling: Telling, now: float) -> bool:
        """Evaluate where the time for an instant has come since the last call; whether it had.

        Raises ``LeaseLost`` or ``Unavailable``.
        """
        at = floor((now - LAG) / STEP) * STEP
        if self.last is not None and at <= self.last:
            return False
        if rules is not self._rules or abs(now - self._tailed) > AWAY:
            self._follow(rules, at, now)
        self._drain()
        self._tail(now)
        for reading in self._head.wanted(at):
            with self._store.read() as unit:
                _read(unit, self._head, reading)
            self._head.read(reading)
        self._trim(at)
        findings = {name: each.at(at) for name, each in self._evaluations.items()}
        self._standings.write(rules, findings, telling, at)
        for each in self._evaluations.values():
            each.settle()
        self.last = at
        return True

    def _follow(self, rules: Mapping[str, Rule], at: float, now: float) -> None:
        """Go over to these rules; where one of them stands is known by its name."""
        self._rules = None
        self._arrived.clear()  # what is in there was stored, and is read below
        needed = needs(rules.values(), self._strategies)
        head = Head(needed)
        with self._store.read() as unit:
            if self.last is None:
                self._standings.take_over(unit)
            self._position = unit.series.last()
            for metric, need in needed.items():
                _read(unit, head, Reading(metric, None, now - need.span, now + _SKEW))
        self._tailed = now
        states = self._standings.states(rules, at)
        evaluations = {name: Evaluation(rule, head, STEP, self._strategies) for name, rule in rules.items()}
        for name, each in evaluations.items():
            each.restore(states.get(name, {}))
            each.recall(at)
        self._head, self._evaluations, self._rules = head, evaluations, rules

    def _drain(self) -> None:
        """Let the head have the outcomes that have arrived."""
        for _ in range(len(self._arrived)):
            outcomes = self._arrived.popleft()
            if self._head.keeps(OF_CHECKS):
                self._head.take(chain.from_iterable(map(of_outcome, outcomes)))

    def _tail(self, now: float) -> None:
        """Let the head have what was appended since the last time."""
        with self._store.read() as unit:
            while found := unit.series.tail(self._position, _FRAMES):
                self._head.take_frame(joined([frame for _, frame in found]), unit.series.names)
                self._position = found[-1][0]
        self._tailed = now

    def _trim(self, at: float) -> None:
        for each in self._evaluations.values():
            each.hold()
        self._head.trim(at)
        for each in self._evaluations.values():
            each.trim(at)


def _read(unit: Unit, head: Head, reading: Reading) -> None:
    """Let a head have samples of the store, a few minutes at a time."""
    start, length = reading.start, max(_SLICE, (reading.end - reading.start) / _SLICES)
    while start < reading.end:
        end = min(start + length, reading.end)
        if reading.metric in OF_CHECKS:
            head.take_listed(*unit.series.check_frame(reading.metric, {}, start, end), reading.span)
        else:
            head.take_frame(unit.series.frame(reading.metric, {}, start, end), unit.series.names, reading.span)
        start = end
