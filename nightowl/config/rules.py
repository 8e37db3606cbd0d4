"""Turns rule tables into rules, and says which of their keys do not go together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import get_args

from nightowl.config.models import rule as models
from nightowl.config.numbered import Problem, one_of
from nightowl.core.limits import Comparison, Limit, relative_limit
from nightowl.core.rule import Baseline, Rule
from nightowl.core.strategies import BUILT_IN
from nightowl.core.values import Severity

STRATEGIES = tuple(BUILT_IN)
"""The strategies that need no plug-in."""

_COMPARISONS: tuple[Comparison, ...] = get_args(Comparison)
_ONLY = {"recover": "fixed", "baseline": "floating", "average": "period", "compare": "period", "on_zero": "period",
         "min_base": "period", "parameters": None}  # fmt: skip
"""Keys that one built-in strategy alone understands, or none of them."""


def rule(name: str, table: models.Rule, identifiers: Sequence[str] = ()) -> Rule:
    """Return a rule of a table without problems; ``identifiers`` are those of its list or file."""
    baseline = table.baseline
    return Rule(
        name=name,
        metric=table.metric or "",
        source=table.source or "",
        query=table.query or "",
        identifiers=tuple(identifiers),
        where=table.where,
        by=None if table.by is None else tuple(table.by),
        difference=table.difference or "",
        counter=table.counter,
        aggregate=table.aggregate,
        over=table.over,
        strategy=table.strategy,
        parameters=table.parameters,
        limits=tuple(limits(table)),
        recover=table.recover,
        stale=table.stale,
        baseline=None if baseline is None else Baseline(of=baseline.of, over=baseline.over, gap=baseline.gap),
        average=table.average or 0.0,
        compare=tuple(table.compare),
        min_points=table.min_points,
        min_base=table.min_base,
        on_zero=table.on_zero,
        for_=table.for_,
        keep_firing=table.keep_firing,
        nodata=table.nodata,
        nodata_after=table.nodata_after,
        severity=Severity(table.severity),
        tags=table.tags,
        runbook=table.runbook or "",
        depends_on=tuple(table.depends_on),
    )


def limits(table: models.Rule) -> Iterator[Limit]:
    """Yield the limits of a table; numbers are absolute, texts are relative."""
    for comparison in _COMPARISONS:
        amount = getattr(table, comparison)
        if isinstance(amount, str):
            yield relative_limit(comparison, amount)
        elif amount is not None:
            yield Limit(comparison, amount)


def rule_problems(table: models.Rule, strategies: Collection[str] = STRATEGIES) -> Iterator[Problem]:
    """Yield what keeps a rule from working."""
    if table.strategy not in strategies:
        yield Problem("NO30", ("strategy",), None, one_of("a strategy", strategies))
        return
    if table.strategy in STRATEGIES:
        yield from _built_in_problems(table)


def _built_in_problems(table: models.Rule) -> Iterator[Problem]:
    """Yield what a built-in strategy cannot work with; a plug-in makes of the keys what it likes."""
    for key, strategy in _ONLY.items():
        if key in table.model_fields_set and table.strategy != strategy:
            yield Problem("NO31", (key,), None, f'no such key beside strategy = "{table.strategy}"', ("strategy",))
    if table.aggregate and not table.over and table.by is None:
        yield Problem("NO32", ("over",), "aggregate without over", 'the span to aggregate, such as "5m"')
    if table.over and not (table.aggregate or table.counter or table.strategy == "absent"):
        yield Problem("NO32", ("aggregate",), "over without aggregate", "what to make of the samples, such as mean")
    yield from _limit_problems(table, *_WANTED[table.strategy])
    if table.strategy == "floating" and table.baseline is None:
        yield Problem("NO33", ("baseline",), "nothing", 'such as { of = "median", over = "30m" }')
    if table.strategy == "period" and table.average is None:
        yield Problem("NO33", ("average",), "nothing", 'the span to average, such as "10m"')
    if table.strategy == "period" and not table.compare:
        yield Problem("NO33", ("compare",), "nothing", 'how long ago, such as ["1d", "1w"]')


_WANTED: dict[str, tuple[Collection[str], str]] = {
    "fixed": (("number",), "a number, as the limit is fixed"),
    "floating": (("", "%", "sigma"), 'a text with a sign such as "+20%", "-5" or "+3 sigma", as the limit floats'),
    "period": (("%",), 'percents with a sign such as "+40%", as the change is what is judged'),
    "absent": ((), "no limit, as no data is what is looked for"),
}
"""The units that limits of a strategy may have (``number``: absolute), and that in words."""


def _limit_problems(table: models.Rule, units: Collection[str], allowed: str) -> Iterator[Problem]:
    given = list(limits(table))
    for limit in given:
        if (limit.unit if limit.relative else "number") not in units:
            yield Problem("NO34", (limit.comparison,), None, allowed, ("strategy",))
        elif limit.unit == "sigma" and table.counter:
            yield Problem("NO34", (limit.comparison,), None, "percents or an amount: a rate has no deviation")
        elif limit.relative and limit.comparison in ("equals", "not_equals"):
            yield Problem("NO34", (limit.comparison,), None, "above, below, at_least or at_most: this is no figure")
    if not given and units:
        yield Problem("NO33", ("above",), "no limit", f"at least one of {', '.join(_COMPARISONS)}")
    names = {limit.comparison for limit in given}
    if len(names) > 1 and names != {"above", "below"}:
        yield Problem("NO35", (max(names),), None, "one limit, or above and below together")
    if table.recover is not None and table.strategy == "fixed":
        yield from _recover_problems(table, given)


def _recover_problems(table: models.Rule, given: list[Limit]) -> Iterator[Problem]:
    """Yield why ``recover`` makes no sense: it must lie on the good side of one limit."""
    assert table.recover is not None
    if not given:  # which is told as a mistake of its own
        return
    if len(given) > 1 or given[0].comparison in ("equals", "not_equals"):
        yield Problem("NO36", ("recover",), None, "no such key, unless there is one limit, and it has two sides")
    elif not given[0].relative and (
        table.recover > given[0].amount if given[0].rising else table.recover < given[0].amount
    ):
        side = "at most" if given[0].rising else "at least"
        yield Problem("NO36", ("recover",), None, f"{side} {given[0].amount:g}, the limit", (given[0].comparison,))
