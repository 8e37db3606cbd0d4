"""Spans of time as people say them."""

from __future__ import annotations

_UNITS = (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0))


def spoken(seconds: float) -> str:
    """A span in the largest unit that it is a whole number of: ``30 min``, ``1 d``, ``90 s``."""
    for unit, length in _UNITS:
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:g} s"
