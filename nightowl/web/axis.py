"""Axes of pictures: their ends, their marks, and the moments below them.

A picture is stretched to the page's width, and what is written beside it is HTML.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor, log10

import msgspec

from nightowl.core.strategies.judging import number
from nightowl.web.words import clock, day

WIDTH = 1000
HEIGHT = 240


class Scale(msgspec.Struct, frozen=True):
    """An axis from ``low`` to ``high`` with its marks, evenly spaced, the first at ``low`` and the last at ``high``."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def y(self, value: float) -> float:
        """Where a value lies, from the top; what is beyond the axis lies at its end."""
        part = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(HEIGHT * (1 - part), 1)


def scale(values: Iterable[float]) -> Scale:
    """The axis that shows all these values."""
    shown = list(values) or [0.0, 1.0]
    low, high = _ends(min(shown), max(shown))
    step = _nice((high - low) / 4)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return Scale(first * step, last * step, tuple(round(at * step, 12) for at in range(first, last + 1)))


def label(tick: float) -> str:
    """A mark of the axis, short: ``250``, ``0.4``, ``1.5 M``."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(tick) >= size:
            return f"{number(tick / (1e3 if unit == 'k' else size))} {unit}"
    return number(tick)


def moments(start: float, end: float) -> list[str]:
    """Five moments, evenly spaced from the start to the end, as they are written below a picture."""
    length = end - start
    found = [start + length * part / 4 for part in range(5)]
    if length < 1200:
        return [clock(at) for at in found]
    if length <= 90_000:
        return [clock(at)[:5] for at in found]
    return [f"{day(int(at // 86_400))[5:]} {clock(at)[:5]}" for at in found]


def _ends(low: float, high: float) -> tuple[float, float]:
    """Where an axis begins and ends that shows these: at zero, where that is near, else a little beyond them."""
    if low == high:
        return min(low, 0.0), max(high, 0.0) if low else 1.0
    near, room = 0.6 * max(abs(low), abs(high)), (high - low) * 0.06
    return 0.0 if 0 <= low <= near else low - room, 0.0 if -near <= high <= 0 else high + room


def _nice(step: float) -> float:
    """The next larger of 1, 2, 2.5 and 5 times a power of ten."""
    power = 10.0 ** floor(log10(step))
    return next(each * power for each in (1.0, 2.0, 2.5, 5.0, 10.0) if each * power >= step * 0.999)
