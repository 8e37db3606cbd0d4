"""Samples of one series in order of time, and what windows of them say.

A window is left-open and right-closed: ``(start, end]``. A sample's time is its event's; of two samples at one time
the last written wins; NaN and infinities are missing samples.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from statistics import median, pstdev
from typing import Literal

import msgspec

Aggregate = Literal["mean", "median", "last", "min", "max", "sum", "count"]


class Points(msgspec.Struct, frozen=True):
    """Times (Unix seconds, rising) and the values at them."""

    times: Sequence[float]
    values: Sequence[float]

    def __len__(self) -> int:
        return len(self.times)

    def window(self, start: float, end: float) -> Points:
        """Those in ``(start, end]``."""
        first, last = bisect_right(self.times, start), bisect_right(self.times, end)
        return Points(self.times[first:last], self.values[first:last])


NONE = Points((), ())


def points(samples: Iterable[tuple[float, float]]) -> Points:
    """Order (time, value) pairs that are given in the order in which they arrived."""
    latest = {time: value for time, value in samples if math.isfinite(value)}
    times = sorted(latest)
    return Points(times, [latest[time] for time in times])


def aggregate(how: Aggregate, window: Points) -> float | None:
    """One figure of a window (None: it is empty; the count of none is 0)."""
    values = window.values
    if how == "count":
        return float(len(values))
    if not values:
        return None
    if how == "mean":
        return total(values) / len(values)
    if how == "median":
        return median(values)
    if how == "sum":
        return total(values)
    return values[-1] if how == "last" else (min if how == "min" else max)(values)


def total(values: Iterable[float]) -> float:
    """The sum, rounded once; infinite where it is too large for a float."""
    found = list(values)
    try:
        return math.fsum(found)
    except OverflowError:
        return sum(found)


def deviation(window: Points) -> float:
    """The population standard deviation of a window that is not empty; infinite where it is too large for a float."""
    try:
        return pstdev(window.values)
    except OverflowError:
        return math.inf


def rate(window: Points) -> float | None:
    """Increase a second of a counter; a fall is a reset, and the new value counts from 0 (None: under two samples)."""
    if len(window) < 2:
        return None
    pairs = zip(window.values, window.values[1:], strict=False)
    rise = total(after - before if after >= before else after for before, after in pairs)
    return rise / (window.times[-1] - window.times[0])
