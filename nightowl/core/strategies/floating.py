"""``floating``: the current figure against a limit that floats with the series' own recent values.

It sees a level shift for minutes and then takes it in; a mean is polluted by a spike, a slow drift is never seen.
"""

from __future__ import annotations

from collections.abc import Sequence

from nightowl.core.condition import Condition, unknown
from nightowl.core.points import Points, aggregate, deviation, rate
from nightowl.core.rule import Baseline, Rule
from nightowl.core.spans import spoken
from nightowl.core.strategies.judging import NO_SAMPLE, judged
from nightowl.core.strategies.strategy import Span, current, current_span


def spans(rule: Rule, step: float) -> Sequence[Span]:
    """The window of the current figure, and the baseline's: ``(t - over - gap, t - gap]``, the gap being one step."""
    baseline = _baseline(rule)
    gap = step if baseline.gap is None else baseline.gap
    return (current_span(rule, step), Span(baseline.over + gap, gap))


def judge(rule: Rule, windows: Sequence[Points], *, firing: bool) -> Condition:  # noqa: ARG001 - every strategy is told
    """Compare the current figure with the baseline and what is added to it."""
    latest, before = windows
    value = current(rule, latest)
    if value is None:
        return unknown(NO_SAMPLE)
    baseline = _baseline(rule)
    base = rate(before) if rule.counter else aggregate(baseline.of, before)
    if base is None or len(before) < rule.min_points:
        return unknown(f"the baseline has {len(before)} of the {max(rule.min_points, 1)} samples that it needs")
    sigma = deviation(before) if any(limit.unit == "sigma" for limit in rule.limits) else 0.0
    what = "rate" if rule.counter else baseline.of
    return judged(rule.limits, value, base, sigma, f"{what} of the {spoken(baseline.over)} before")


def _baseline(rule: Rule) -> Baseline:
    assert rule.baseline is not None, "a floating rule has a baseline, which its configuration asks for"
    return rule.baseline
