"""What a rule says, in one line: ``check_duration_seconds where check=shop-* above 2, recovers at 1.5, for 5 min``."""

from __future__ import annotations

from collections.abc import Iterator

from nightowl.core.limits import Comparison, Limit
from nightowl.core.rule import STEP, Rule
from nightowl.core.spans import spoken
from nightowl.core.strategies.judging import number
from nightowl.core.strategies.strategy import current_span

_FIXED: dict[Comparison, str] = {
    "above": "above",
    "below": "below",
    "at_least": "at least",
    "at_most": "at most",
    "equals": "equal to",
    "not_equals": "not equal to",
}
_NODATA = {"ok": "no data counts as good", "alert": "no data counts as a breach"}


def sentence(rule: Rule) -> str:
    """Say which series a rule looks at, when its limit is broken, and what then delays or prolongs it."""
    return ", ".join([_condition(rule), *_more(rule)])


def _condition(rule: Rule) -> str:
    match rule.strategy:
        case "absent":
            return f"no sample of {_metric(rule)}{_chosen(rule)} in {spoken(current_span(rule, STEP).older)}"
        case "floating" if rule.baseline is not None:
            what = "rate" if rule.counter else rule.baseline.of
            return f"{_figure(rule)} {_ways(rule)} the {what} of the {spoken(rule.baseline.over)} before"
        case "period":
            what = "rate" if rule.counter else "mean"
            then = " and also of ".join(f"{spoken(ago)} ago" for ago in rule.compare)
            return f"{what} of {_metric(rule)} over {spoken(rule.average)}{_chosen(rule)} {_ways(rule)} that of {then}"
        case "fixed":
            return f"{_figure(rule)} {_ways(rule)}"
        case _:
            return " ".join(filter(None, [_figure(rule), f"by the strategy {rule.strategy}", _ways(rule)]))


def _figure(rule: Rule) -> str:
    """What is compared: a metric, or what is made of it."""
    metric = _metric(rule)
    how = rule.aggregate or ("sum" if rule.by is not None and not rule.counter else "")
    figure = f"rate of {metric} a second" if rule.counter else f"{how} of {metric}" if how else metric
    return f"{figure}{f' over {spoken(rule.over)}' if rule.over else ''}{_chosen(rule)}"


def _metric(rule: Rule) -> str:
    if rule.source:
        return f"{rule.query or rule.metric} on {rule.source}"
    return f"{rule.metric} minus {rule.difference}" if rule.difference else rule.metric


def _chosen(rule: Rule) -> str:
    """Which series, and which of them become one."""
    each = f" for each of {len(rule.identifiers)}" if rule.identifiers else ""
    where = " and ".join(f"{name}={value}" for name, value in rule.where.items())
    by = "" if rule.by is None else f" by {' and '.join(rule.by)}" if rule.by else " of all series together"
    return f"{f' where {where}' if where else ''}{by}{each}"


def _ways(rule: Rule) -> str:
    """The limits: ``above 10 or below 2``, ``more than 20 % above``."""
    return " or ".join(map(_way, rule.limits))


def _way(limit: Limit) -> str:
    if not limit.relative:
        return f"{_FIXED[limit.comparison]} {number(limit.amount)}"
    upwards = limit.amount > 0 or (limit.amount == 0 and limit.rising)
    beyond, exact = upwards == limit.rising, limit.comparison in ("at_least", "at_most")
    extent = ("at least" if exact else "more than") if beyond else ("at most" if exact else "less than")
    unit = f" {limit.unit}" if limit.unit else ""
    return f"{extent} {number(abs(limit.amount))}{unit} {'above' if upwards else 'below'}"


def _more(rule: Rule) -> Iterator[str]:
    if rule.recover is not None:
        yield f"recovers at {number(rule.recover)}"
    if rule.for_:
        yield f"for {spoken(rule.for_)}"
    if rule.keep_firing:
        yield f"kept firing for {spoken(rule.keep_firing)}"
    if rule.nodata == "nodata":
        yield f"a warning after {spoken(rule.nodata_after)} without data"
    elif rule.nodata in _NODATA:
        yield _NODATA[rule.nodata]
