"""``fixed``: the current figure against a number."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from nightowl.core.condition import Condition, unknown
from nightowl.core.points import Points
from nightowl.core.rule import Rule
from nightowl.core.strategies.judging import NO_SAMPLE, judged
from nightowl.core.strategies.strategy import Span, current, current_span


def spans(rule: Rule, step: float) -> Sequence[Span]:
    """The window of the current figure."""
    return (current_span(rule, step),)


def judge(rule: Rule, windows: Sequence[Points], *, firing: bool) -> Condition:
    """Compare the current figure. While firing, ``recover`` takes the limit's place, so that it cannot flutter."""
    value = current(rule, windows[0])
    if value is None:
        return unknown(NO_SAMPLE)
    limits = rule.limits
    if firing and rule.recover is not None:
        limits = tuple(replace(limit, amount=rule.recover) for limit in limits)
    return judged(limits, value)
