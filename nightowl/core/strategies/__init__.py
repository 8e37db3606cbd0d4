"""Strategies: pure functions that judge windows of a series against a rule's limits."""

from __future__ import annotations

from collections.abc import Mapping

from nightowl.core.strategies import absent, fixed, floating, period
from nightowl.core.strategies.strategy import Span, Strategy

__all__ = ["BUILT_IN", "Span", "Strategy"]

BUILT_IN: Mapping[str, Strategy] = {"fixed": fixed, "floating": floating, "period": period, "absent": absent}
"""The strategies that need no plug-in, by name."""
