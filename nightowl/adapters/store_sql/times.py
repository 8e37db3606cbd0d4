"""Moments of rounds as the integer milliseconds that rows are keyed by."""

from __future__ import annotations

import math

_FOREVER = 1e15
_HALF_A_STEP = 1e-3  # a double of this size is exact to 0.2 microseconds, so a millisecond's own value may fall short


def to_ms(moment: float) -> int:
    """Unix seconds as milliseconds, rounded down unless it is a whole millisecond; infinities become far away."""
    return math.floor(max(-_FOREVER, min(moment * 1000, _FOREVER)) + _HALF_A_STEP)


def from_ms(moment: int) -> float:
    """The Unix seconds of these milliseconds: for a whole millisecond the same float that went in."""
    return moment / 1000
