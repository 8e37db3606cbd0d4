"""What a rule finds to look at; where that is nothing, what there is instead, for whoever mistyped a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from nightowl.core.rule import Rule
from nightowl.core.series import Labels, Series, selects

_NAMED = 8
"""Names that a sentence lists."""


def matching(rule: Rule, metric: str, labels: Sequence[Labels]) -> list[Series]:
    """The series of a metric that the rule looks at, given the labels of all of that metric."""
    return [series for each in labels if selects(metric, rule.where, series := Series(metric, each))]


def missing(metric: str, where: Mapping[str, str], labels: Sequence[Labels], metrics: Sequence[str]) -> str:
    """Why no series of a metric matches, and what there is instead; ``labels`` are those of all its series."""
    if labels:
        return " ".join(_unmatched(metric, where, [dict(each) for each in labels]))
    near = get_close_matches(metric, metrics, n=3, cutoff=0.5)
    if near:
        return f"There is no series of the metric {metric}. Names like it: {', '.join(near)}."
    there = f" There are: {_listed(metrics)}." if metrics else ""
    return f"There is no series of the metric {metric}.{there}"


def _unmatched(metric: str, where: Mapping[str, str], labels: Sequence[Mapping[str, str]]) -> Iterator[str]:
    wrong = False
    for name, wanted in where.items():
        values = sorted({each[name] for each in labels if name in each})
        if not values:
            wrong = True
            there = sorted({label for each in labels for label in each})
            yield f"No series of {metric} has a label {name}. Their labels: {_listed(there) or 'none'}."
        elif not any(fnmatchcase(value, wanted) for value in values):
            wrong = True
            near = get_close_matches(wanted, values, n=3, cutoff=0.6) or values
            yield f"No series of {metric} has {name} = {wanted}. Its values: {_listed(near)}."
    if not wrong:
        yield f"Each label is found among the series of {metric}, but no series has all of them at once."


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown
