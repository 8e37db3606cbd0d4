"""One rule over all its series at one instant, sample by sample: what the vectorised evaluation must equal."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from math import isfinite

import msgspec

from nightowl.core import combining
from nightowl.core.combining import Recipe
from nightowl.core.condition import Condition
from nightowl.core.points import NONE, Points
from nightowl.core.rule import STEP, Rule
from nightowl.core.rule_state import Phase, RuleState, advance
from nightowl.core.series import Series, selects
from nightowl.core.strategies import BUILT_IN, Strategy

RECALLED = 7200.0
"""Seconds of combined series that are made again when nothing is known of them."""


class Finding(msgspec.Struct, frozen=True):
    """What a rule finds of a series at an instant, and its state before and after."""

    series: Series
    at: float
    condition: Condition
    before: RuleState
    after: RuleState

    @property
    def moved(self) -> bool:
        """Whether the rule has come to another phase."""
        return self.before.phase is not self.after.phase

    @property
    def opens(self) -> bool:
        """Whether an incident opens: a breach that fires, or missing data that the rule tells of."""
        silent = self.moved and self.after.phase is Phase.NODATA
        return silent or (self.after.open and not self.before.open)


class Evaluation:
    """A rule's state for each series, evaluated instant after instant, every ``step`` seconds.

    A series is looked at from its first sample on, and as long as it is known or in another phase than OK; one that
    has ended is unknown.
    """

    def __init__(self, rule: Rule, step: float = STEP, strategies: Mapping[str, Strategy] = BUILT_IN) -> None:
        """``strategies`` are the installed ones by name."""
        self.rule = rule
        self.states: dict[Series, RuleState] = {}
        self._step = step
        self._judged = combining.judged_as(rule) if combining.combines(rule) else rule
        self._strategy = strategies[rule.strategy]
        self._spans = self._strategy.spans(self._judged, step)
        self._back = max(span.older for span in self._spans)
        self._made: dict[Series, tuple[list[float], list[float]]] = {}
        self._selected: dict[Series, bool] = {}

    def at(self, now: float, known: Mapping[Series, Points]) -> Iterator[Finding]:
        """Evaluate at ``now``; ``known`` has every series' samples, later ones than ``now`` are not looked at.

        What is found counts once ``settle`` is told of it.
        """
        for series, points in self._points(now, known).items():
            before = self.states.get(series, RuleState())
            windows = [points.window(now - span.older, now - span.newer) for span in self._spans]
            condition = self._strategy.judge(self._judged, windows, firing=before.firing)
            after = advance(self.rule, before, condition.truth, now)
            yield Finding(series, now, condition, before, after)

    def recall(self, now: float, known: Mapping[Series, Points]) -> None:
        """Make the samples that combined series had at the instants before ``now``, as far as the rule looks back.

        ``RECALLED`` seconds at most: a longer baseline of a combined series fills by itself.
        """
        if combining.combines(self.rule):
            for steps in range(int(min(self._back, RECALLED) // self._step), 0, -1):
                self._points(now - steps * self._step, known)

    def settle(self, findings: Iterable[Finding]) -> None:
        """Go on from what was found at an instant: all of it."""
        self.states = {found.series: found.after for found in findings}

    def _points(self, now: float, known: Mapping[Series, Points]) -> dict[Series, Points]:
        """The series to look at: those that have begun, and those that have ended in another phase than OK."""
        begun = {series: points for series, points in known.items() if len(points) and points.times[0] <= now}
        if combining.combines(self.rule):
            recipes = combining.recipes(self.rule, begun)
            found = {series: self._combined(series, recipe, begun, now) for series, recipe in recipes.items()}
        else:
            found = {series: points for series, points in begun.items() if self._selects(series)}
        ended = {
            series: NONE for series, state in self.states.items() if series not in found and state.phase is not Phase.OK
        }
        return found | ended

    def _combined(self, series: Series, recipe: Recipe, known: Mapping[Series, Points], now: float) -> Points:
        span = combining.span(self.rule, self._step)
        members = (*recipe.members, *(recipe.subtracted or ()))
        windows = {each: known.get(each, NONE).window(now - span.older, now - span.newer) for each in members}
        value = combining.combined(self.rule, recipe, windows)
        times, values = self._made.setdefault(series, ([], []))
        if value is not None and isfinite(value) and not (times and times[-1] == now):
            times.append(now)
            values.append(value)
        gone = bisect_right(times, now - self._back)
        del times[:gone], values[:gone]
        return Points(times, values)

    def _selects(self, series: Series) -> bool:
        known = self._selected.get(series)
        if known is None:
            known = self._selected[series] = selects(self.rule.metric, self.rule.where, series)
        return known


def spans_of(
    rules: Iterable[Rule], strategies: Mapping[str, Strategy] = BUILT_IN, step: float = STEP
) -> dict[str, float]:
    """How many seconds of which metrics are to be at hand, so that rules can be evaluated each ``step`` seconds."""
    found: dict[str, float] = {}
    for rule in rules:
        judged = combining.judged_as(rule) if combining.combines(rule) else rule
        spans = [*strategies[rule.strategy].spans(judged, step), combining.span(rule, step)]
        # a series that has ended must be looked at until its policy has taken effect
        span = max(each.older for each in spans) + rule.nodata_after + step
        for metric in filter(None, (rule.metric, rule.difference)):
            found[metric] = max(found.get(metric, 0.0), span)
    return found


class Transition(msgspec.Struct, frozen=True, array_like=True):
    """A rule comes from one phase to another for a series, at an instant (Unix seconds)."""

    at: float
    before: Phase
    after: Phase
