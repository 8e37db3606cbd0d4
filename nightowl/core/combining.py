"""Series made of others: groups by labels, and differences of two metrics.

Such a series has a sample at each instant of evaluation, made of the current figures of its members: the aggregate of
those of a group (the sum, unless the rule says otherwise), minus that of the other metric. Members without a current
figure are left out; a group without any, or a difference without one side, has no sample at that instant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from nightowl.core.points import Points, aggregate
from nightowl.core.rule import Rule
from nightowl.core.series import Labels, Series, selects
from nightowl.core.strategies.strategy import Span, current, current_span


class Recipe(msgspec.Struct, frozen=True):
    """What a series of a rule is made of: its members, and those to subtract (None: nothing is)."""

    members: tuple[Series, ...]
    subtracted: tuple[Series, ...] | None = None


def combines(rule: Rule) -> bool:
    """Whether a rule looks at series made of others."""
    return rule.by is not None or bool(rule.difference)


def recipes(rule: Rule, known: Iterable[Series]) -> dict[Series, Recipe]:
    """What the rule's series are made of, given all series that there are."""
    groups: dict[Series, tuple[list[Series], list[Series]]] = {}
    for series in sorted(known):
        for side, metric in enumerate((rule.metric, rule.difference)):
            if metric and selects(metric, rule.where, series):
                groups.setdefault(made(rule, series), ([], []))[side].append(series)
    return {
        group: Recipe(tuple(added), tuple(subtracted) if rule.difference else None)
        for group, (added, subtracted) in groups.items()
    }


def made(rule: Rule, member: Series) -> Series:
    """The series that a member goes into."""
    return Series(_made_of(rule), _labels(rule, member))


def looks_at(rule: Rule, series: Series) -> bool:
    """Whether a series can be one of the rule's: one that it selects, or one that it makes."""
    if not combines(rule):
        return selects(rule.metric, rule.where, series)
    carried = {name for name, _ in series.labels}
    where = {name: pattern for name, pattern in rule.where.items() if name in carried}  # members may carry more
    return made(rule, series).labels == series.labels and selects(_made_of(rule), where, series)


def combined(rule: Rule, recipe: Recipe, windows: Mapping[Series, Points]) -> float | None:
    """The sample at an instant, given each member's window of ``span`` (None: there is none)."""
    value = _side(rule, [windows[member] for member in recipe.members])
    if recipe.subtracted is None or value is None:
        return value
    other = _side(rule, [windows[member] for member in recipe.subtracted])
    return None if other is None else value - other


def span(rule: Rule, step: float) -> Span:
    """The window of its members that a sample is made of."""
    return current_span(rule, step)


def judged_as(rule: Rule) -> Rule:
    """The rule as it judges the series made: rates and aggregates are in their samples already."""
    return replace(rule, counter=False, aggregate=None, over=None)


def _side(rule: Rule, windows: Sequence[Points]) -> float | None:
    figures = [figure for window in windows if (figure := current(rule, window)) is not None]
    how = rule.aggregate if rule.aggregate and rule.aggregate != "last" else "sum"
    return aggregate(how, Points(range(len(figures)), figures)) if figures else None


def _made_of(rule: Rule) -> str:
    """The name of what a rule makes."""
    return f"{rule.metric} - {rule.difference}" if rule.difference else rule.metric


def _labels(rule: Rule, series: Series) -> Labels:
    if rule.by is None:
        return series.labels
    return tuple(pair for pair in series.labels if pair[0] in rule.by)
