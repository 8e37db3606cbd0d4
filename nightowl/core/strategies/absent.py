"""``absent``: no data for so long. It is never unknown, as missing data is what it looks for."""

from __future__ import annotations

from collections.abc import Sequence

from nightowl.core.condition import Condition, truth
from nightowl.core.points import Points
from nightowl.core.rule import Rule
from nightowl.core.spans import spoken
from nightowl.core.strategies.strategy import Span, current_span


def spans(rule: Rule, step: float) -> Sequence[Span]:
    """The window in which there should be a sample: ``over``."""
    return (current_span(rule, step),)


def judge(rule: Rule, windows: Sequence[Points], *, firing: bool) -> Condition:  # noqa: ARG001 - every strategy is told
    """Look for a sample."""
    seen = len(windows[0])
    span = spoken(rule.over) if rule.over else "the time in which one is current"
    return Condition(
        truth=truth(not seen),
        value=float(seen),
        sentence=f"{seen} samples in {span}" if seen else f"no data for {span}",
    )
