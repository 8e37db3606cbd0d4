"""Rules over history: the same functions and the same machine as live, instant after instant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil, floor

from nightowl.core.condition import Condition, Truth
from nightowl.core.evaluation import Evaluation, Finding, Transition
from nightowl.core.points import Points
from nightowl.core.rule import Rule
from nightowl.core.series import Series
from nightowl.core.strategies import BUILT_IN, Strategy


def instants(start: float, end: float, every: float) -> Iterator[float]:
    """The instants of evaluation from ``start`` to ``end``, both included: the multiples of ``every``."""
    for number in range(ceil(start / every), floor(end / every) + 1):
        yield round(number * every, 6)


class Replay:
    """The transitions of one rule over all its series, collected while its instants are walked.

    ``opened`` has the instants at which incidents would have opened: episodes of firing, and of missing data that a
    rule tells of. ``judged`` counts what was judged, instants times series, and ``unknown`` what of it was unknown, for
    the reason that ``why`` gives (the last one).
    """

    def __init__(self, rule: Rule, every: float, strategies: Mapping[str, Strategy] = BUILT_IN) -> None:
        """``every`` is the seconds from one instant to the next."""
        self.rule = rule
        self.transitions: dict[Series, list[Transition]] = {}
        self.opened: dict[Series, list[float]] = {}
        self.judged = self.unknown = 0
        self.why = ""
        self._evaluation = Evaluation(rule, every, strategies)

    @property
    def pages(self) -> int:
        """How many incidents would have opened."""
        return sum(map(len, self.opened.values()))

    def at(self, now: float, known: Mapping[Series, Points]) -> list[Finding]:
        """Go on to ``now``; what was found there."""
        findings = list(self._evaluation.at(now, known))
        self._evaluation.settle(findings)
        for found in findings:
            self._count(found.condition)
            if found.moved:
                step = Transition(now, found.before.phase, found.after.phase)
                self.transitions.setdefault(found.series, []).append(step)
            if found.opens:
                self.opened.setdefault(found.series, []).append(now)
        return findings

    def _count(self, condition: Condition) -> None:
        self.judged += 1
        if condition.truth is Truth.UNKNOWN:
            self.unknown += 1
            self.why = condition.sentence
