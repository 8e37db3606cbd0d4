"""``period``: the change of the mean since one or several periods ago, in percent.

The change is ``(cur - prev) / abs(prev) x 100``; the form ``(cur / prev) / prev`` that one finds printed is no growth
rate. Yesterday's incident breaks a day-over-day limit today: compare with ``1d`` and ``1w``.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from nightowl.core.condition import Condition, Truth, all_hold, truth, unknown
from nightowl.core.points import Points, aggregate, rate
from nightowl.core.rule import Rule
from nightowl.core.spans import spoken
from nightowl.core.strategies.judging import nearest, number
from nightowl.core.strategies.strategy import Span


def spans(rule: Rule, step: float) -> Sequence[Span]:  # noqa: ARG001 - every strategy is told
    """The window averaged now, then the same so many periods ago."""
    return (Span(rule.average), *(Span(period + rule.average, period) for period in rule.compare))


def judge(rule: Rule, windows: Sequence[Points], *, firing: bool) -> Condition:  # noqa: ARG001 - every strategy is told
    """Compare with every period: all must hold. What is told is the change that is nearest to being none."""
    now, *before = windows
    value = _mean(rule, now)
    if value is None:
        return unknown(_short(rule, now, "now"))
    found = [_since(rule, value, window, period) for window, period in zip(before, rule.compare, strict=True)]
    together = all_hold(each.truth for each in found)
    telling = [each for each in found if each.truth is together]
    least = min(telling, key=lambda each: each.score if each.score is not None else float("inf"))
    return Condition(truth=together, value=value, bound=least.bound, score=least.score, sentence=least.sentence)


def _since(rule: Rule, value: float, before: Points, period: float) -> Condition:
    """The condition against one period."""
    past = _mean(rule, before)
    if past is None:
        return unknown(_short(rule, before, f"{spoken(period)} ago"))
    if abs(past) <= rule.min_base:
        return _on_zero(rule, value, past, period)
    change = (value - past) / abs(past) * 100
    broken, score, _, limit = nearest([replace(limit, unit="") for limit in rule.limits], change)
    return Condition(
        truth=truth(broken),
        value=value,
        bound=past + limit.amount / 100 * abs(past),
        score=score,
        sentence=f"{change:+.4g} % since {spoken(period)} ago: {number(value)} after {number(past)}, "
        f"{'beyond' if broken else 'within'} {limit.amount:+.6g} %",
    )


def _on_zero(rule: Rule, value: float, past: float, period: float) -> Condition:
    """What to think where there is nothing to take percents of."""
    changed = abs(value) > rule.min_base
    sentence = f"{number(value)} after {number(past)} {spoken(period)} ago, which is too little to take percents of"
    if rule.on_zero == "unknown":
        return unknown(sentence)
    found = truth(changed) if rule.on_zero == "breach_if_changed" else Truth.FALSE
    return Condition(truth=found, value=value, sentence=sentence)


def _mean(rule: Rule, window: Points) -> float | None:
    if len(window) < rule.min_points:
        return None
    return rate(window) if rule.counter else aggregate("mean", window)


def _short(rule: Rule, window: Points, when: str) -> str:
    return f"{len(window)} of the {max(rule.min_points, 2 if rule.counter else 1)} samples needed {when}"
