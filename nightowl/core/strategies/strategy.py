"""What a strategy is: the windows that it needs, and what it finds in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from nightowl.core.condition import Condition
from nightowl.core.points import Points, aggregate, rate
from nightowl.core.rule import STALE_STEPS, Rule


class Span(NamedTuple):
    """A window by the ages of its ends at the instant t, in seconds: ``(t - older, t - newer]``."""

    older: float
    newer: float = 0.0


class Strategy(Protocol):
    """A way to judge. Built-in ones and plug-ins (entry points ``nightowl.strategies``) are used alike."""

    def spans(self, rule: Rule, step: float) -> Sequence[Span]:
        """The windows that ``judge`` needs; ``step`` is the seconds between two evaluations."""

    def judge(self, rule: Rule, windows: Sequence[Points], *, firing: bool) -> Condition:
        """Judge the windows, in the order of ``spans``. ``firing``: the rule is firing for this series."""


def current_span(rule: Rule, step: float) -> Span:
    """Where the current figure is looked for."""
    return Span(rule.over or rule.stale or STALE_STEPS * step)


def current(rule: Rule, window: Points) -> float | None:
    """The current figure: a counter's rate, the rule's aggregate, else the newest sample (None: there is none)."""
    if rule.counter:
        return rate(window)
    return aggregate(rule.aggregate or "last", window)
