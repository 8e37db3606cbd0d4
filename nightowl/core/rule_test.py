"""A unit test of rules: series by step, and what rules must have come to at which instants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from nightowl.core.evaluation import Evaluation, Finding
from nightowl.core.points import Points
from nightowl.core.rule import Rule
from nightowl.core.rule_state import Phase
from nightowl.core.series import Series
from nightowl.core.strategies import BUILT_IN, Strategy


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule must have come to ``at`` seconds after the first value; ``series`` None: its only one."""

    at: float
    rule: str
    state: Phase
    series: Series | None = None


def points_of(values: Sequence[float | None], every: float) -> Points:
    """Values as samples, one each ``every`` seconds from 0 on; None is a missing one."""
    known = [(number * every, value) for number, value in enumerate(values) if value is not None]
    return Points([time for time, _ in known], [value for _, value in known])


def failures(
    rules: Mapping[str, Rule],
    known: Mapping[Series, Points],
    every: float,
    expected: Sequence[Expected],
    strategies: Mapping[str, Strategy] = BUILT_IN,
) -> Iterator[str]:
    """Yield in a sentence each expectation that does not hold; every rule named in them must be among ``rules``.

    What a query of a source gives stands among the series under the name of its rule.
    """
    evaluations = {each.rule: Evaluation(_over_given(rules[each.rule]), every, strategies) for each in expected}
    found: dict[str, list[Finding]] = {}
    last = -1
    for each in sorted(expected, key=lambda each: each.at):
        for number in range(last + 1, int(each.at // every) + 1):
            for name, evaluation in evaluations.items():
                found[name] = list(evaluation.at(number * every, known))
                evaluation.settle(found[name])
            last = number
        if problem := _problem(each, found.get(each.rule, [])):
            yield problem


def _over_given(rule: Rule) -> Rule:
    return replace(rule, metric=rule.name) if rule.query else rule


def _problem(expected: Expected, found: Sequence[Finding]) -> str:
    """What is wrong with what was found; empty: nothing."""
    where = f"at {expected.at:g} s, {expected.rule}"
    mine = [each for each in found if expected.series in (None, each.series)]
    if expected.series is not None and not mine:
        return f"{where}: it has no series {expected.series}"
    if len(mine) != 1:
        names = ", ".join(str(each.series) for each in mine) or "none"
        return f"{where}: name the series that is meant; it has {names}"
    phase = mine[0].after.phase
    if phase is expected.state:
        return ""
    return f"{where}, {mine[0].series}: expected {expected.state}, found {phase} ({mine[0].condition.sentence})"
