"""Lines of charts out of stored counters, histograms and gauges.

All on one grid of moments, ``every`` seconds apart. Where nobody watched, a line has a gap. A counter that is not told
for a short time stands still: counters are told when they change, and now and then.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from nightowl.core.buckets import Buckets
from nightowl.core.frame import Floats
from nightowl.core.series import Series

TOLD = 90.0
"""Seconds within which a counter is told again that stands still; without a word for longer nobody watched."""

Found = Mapping[Series, Buckets]
"""What the store gives of a metric: buckets of each series."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a chart: (Unix seconds, value or None where there is a gap)."""

    name: str
    points: tuple[tuple[float, float | None], ...]


class Grid(msgspec.Struct, frozen=True):
    """Moments from ``start`` (excluded) to ``end``, Unix seconds, ``every`` seconds apart, multiples of it."""

    start: float
    end: float
    every: float

    @property
    def ends(self) -> Floats:
        """The moments."""
        first = np.floor(self.start / self.every) + 1
        return np.asarray(np.arange(first, np.ceil(self.end / self.every) + 1) * self.every)

    def row(self, ends: Floats, values: Floats) -> Floats:
        """Values at these moments, and NaN elsewhere."""
        moments = self.ends
        found = np.full(len(moments), np.nan)
        at = np.rint((ends - moments[0]) / self.every).astype(int)
        inside = (at >= 0) & (at < len(moments))
        found[at[inside]] = values[inside]
        return found


def line(name: str, grid: Grid, values: Floats) -> Line:
    """Return a row of values as a line."""
    points = zip(grid.ends.tolist(), values.tolist(), strict=True)
    return Line(name=name, points=tuple((at, None if value != value else value) for at, value in points))  # noqa: PLR0124 - NaN


def rate(found: Found, grid: Grid) -> Floats:
    """The rise a second of counters, all together."""
    return together([_rise(each, grid) for each in found.values()], grid) / grid.every


def quantile(counts: Found, sums: Found, share: float, grid: Grid) -> Floats:
    """A quantile of what was counted in each step (NaN: nothing): the mean of the narrow bucket that it falls into.

    ``counts`` and ``sums`` are of what lies in each bucket alone, with its bound as the label ``le``.
    """
    bounds, count_rows = _by_bound(counts, grid)
    rows = dict(zip(*_by_bound(sums, grid), strict=True))
    sum_rows = [rows.get(bound, np.zeros(len(grid.ends))) for bound in bounds]
    columns = zip(np.array(count_rows).T, np.array(sum_rows).T, strict=True)
    found = [_quantile(bounds, count, total, share) for count, total in columns]
    return np.array(found) if found else np.full(len(grid.ends), np.nan)


def risen(found: Found, grid: Grid) -> float:
    """By how much counters rose in the whole time of the grid, all together."""
    return float(np.nansum(together([_rise(each, grid) for each in found.values()], grid)))


def level(found: Found, grid: Grid) -> Floats:
    """The mean level of gauges in each step, all together."""
    return together([grid.row(each.ends, each.means) for each in found.values()], grid)


def together(rows: Sequence[Floats], grid: Grid) -> Floats:
    """The sum of rows; NaN where none has a value."""
    if not rows:
        return np.full(len(grid.ends), np.nan)
    stacked = np.array(rows)
    return np.where(np.isnan(stacked).all(axis=0), np.nan, np.nansum(stacked, axis=0))


def by_label(found: Found, label: str) -> dict[str, dict[Series, Buckets]]:
    """What was found, by the value of a label."""
    parts: dict[str, dict[Series, Buckets]] = {}
    for series, buckets in found.items():
        parts.setdefault(dict(series.labels).get(label, ""), {})[series] = buckets
    return parts


def _by_bound(found: Found, grid: Grid) -> tuple[list[float], list[Floats]]:
    """The rises in each bucket, with their upper bounds, from the narrowest on; 0 where none is known."""
    rises: dict[float, list[Floats]] = {}
    for series, buckets in found.items():
        rises.setdefault(float(dict(series.labels).get("le", "+Inf")), []).append(_rise(buckets, grid))
    bounds = sorted(rises)
    return bounds, [np.nan_to_num(together(rises[bound], grid)) for bound in bounds]


def _rise(buckets: Buckets, grid: Grid) -> Floats:
    """By how much a counter rose to each moment from the one before.

    To the first it rose by what was told of it there, from 0 on where it was new (NaN: nothing was). A fall is a reset,
    after which it counts from 0.
    """
    level = grid.row(buckets.ends, buckets.highs)
    found = np.full(len(level), np.nan)
    known = np.flatnonzero(~np.isnan(level))
    if not len(known):
        return found
    moments = np.arange(len(level))
    last = np.maximum.accumulate(np.where(np.isnan(level), -np.inf, moments))
    found[moments - last <= TOLD // grid.every] = 0.0
    steps = np.diff(level[known])
    found[known[1:]] = np.where(steps >= 0, steps, level[known[1:]])
    first = level[known[0]] - grid.row(buckets.ends, buckets.lows)[known[0]]
    found[known[0]] = first if first > 0 else np.nan
    return found


def _quantile(bounds: Sequence[float], counts: Floats, sums: Floats, share: float) -> float:
    """The mean of the bucket in which this share of all ends."""
    if not len(counts) or counts.sum() <= 0:
        return math.nan
    at = int(np.searchsorted(np.cumsum(counts), share * counts.sum()))
    return float(min(sums[at] / counts[at], bounds[at]))
