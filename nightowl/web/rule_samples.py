"""The samples that rules look at, read in bounded numbers: which series there are, and their history."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from nightowl.core import combining
from nightowl.core.points import Points, points
from nightowl.core.rule import STEP, Rule
from nightowl.core.rule_matches import matching, missing
from nightowl.core.series import Series
from nightowl.core.strategies import BUILT_IN, Strategy
from nightowl.ports import Unit


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The series that a rule looks at: those of its metric, and those of the one to subtract.

    ``advice`` says what there is instead where nothing matches (empty: something does).
    """

    series: tuple[Series, ...]
    subtracted: tuple[Series, ...] = ()
    advice: str = ""

    @property
    def total(self) -> int:
        """How many stored series it looks at."""
        return len(self.series) + len(self.subtracted)


def find(unit: Unit, rule: Rule) -> Found:
    """Look up which series match."""
    sides, advice = [], []
    for metric in filter(None, (rule.metric, rule.difference)):
        labels = unit.series_names.labels(metric)
        sides.append(tuple(matching(rule, metric, labels)))
        if not sides[-1]:
            advice.append(missing(metric, rule.where, labels, unit.series_names.metrics()))
    return Found(series=sides[0], subtracted=sides[1] if len(sides) > 1 else (), advice=" ".join(advice))


def history(
    unit: Unit, rule: Rule, series: Series, start: float, end: float, strategies: Mapping[str, Strategy] = BUILT_IN
) -> Points:
    """A series' samples, as far as the rule looks at them when it is evaluated from ``start`` to ``end``."""
    where = dict(series.labels)
    found = [
        (sample.time, sample.value)
        for first, last in _ranges(rule, start, end, strategies)
        for sample in unit.series.window(series.metric, where, first, last)
        if sample.labels == series.labels
    ]
    ordered = points(found)
    return Points(array("d", ordered.times), array("d", ordered.values))


def looks_back(rule: Rule, strategies: Mapping[str, Strategy] = BUILT_IN) -> float:
    """Seconds before an instant that the rule looks back on."""
    return max(older for older, _ in _ages(rule, strategies))


def _ages(rule: Rule, strategies: Mapping[str, Strategy]) -> Iterator[tuple[float, float]]:
    """How old the samples are that the rule looks at: the ages of its windows' ends, in seconds."""
    combines = combining.combines(rule)
    spans = strategies[rule.strategy].spans(combining.judged_as(rule) if combines else rule, STEP)
    if not combines:
        yield from ((span.older, span.newer) for span in spans)
        return
    # what is combined has samples of its own only from its members' on
    own = combining.span(rule, STEP)
    yield max(span.older for span in spans) + own.older, 0.0


def _ranges(rule: Rule, start: float, end: float, strategies: Mapping[str, Strategy]) -> list[tuple[float, float]]:
    """The ranges of time in which the rule's windows lie, in order, none twice."""
    return _merged((start - older, end - newer) for older, newer in _ages(rule, strategies))


def _merged(ranges: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


class SampleCache:
    """Histories that were read lately, so that moving a limit does not read them again. For one user at a time."""

    def __init__(self, most: int = 500_000) -> None:
        """``most``: samples that are kept."""
        self._most = most
        self._kept: OrderedDict[tuple[Series, tuple[tuple[float, float], ...]], Points] = OrderedDict()

    def history(
        self,
        unit: Unit,
        rule: Rule,
        series: Series,
        start: float,
        end: float,
        strategies: Mapping[str, Strategy] = BUILT_IN,
    ) -> Points:
        """See ``history``; the same ranges of a series are read once."""
        key = series, tuple(_ranges(rule, start, end, strategies))
        found = self._kept.pop(key, None) or history(unit, rule, series, start, end, strategies)
        self._kept[key] = found
        while len(self._kept) > 1 and sum(map(len, self._kept.values())) > self._most:
            self._kept.popitem(last=False)
        return found
