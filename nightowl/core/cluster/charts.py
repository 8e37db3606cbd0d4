"""Lines of charts out of stored counters, histograms and gauges.

All on one grid of moments, ``every`` seconds apart. Where no sample is, a line has a gap.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from nightowl.core.buckets import Buckets
from nightowl.core.frame import Floats
from nightowl.core.series import Series

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


def quantile(found: Found, share: float, grid: Grid) -> Floats:
    """A quantile of what histograms have counted in each step, by Prometheus' interpolation.

    ``found`` are cumulative counters with the label ``le``. See
    https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile.
    """
    rises: dict[float, list[Floats]] = {}
    for series, buckets in found.items():
        rises.setdefault(_bound(series), []).append(_rise(buckets, grid))
    bounds = sorted(rises)
    if not bounds or bounds[-1] != np.inf:
        return np.full(len(grid.ends), np.nan)
    counts = np.array([np.nan_to_num(together(rises[bound], grid)) for bound in bounds])
    return np.array([_quantile(bounds, column, share) for column in np.maximum.accumulate(counts).T])


def risen(found: Found, grid: Grid) -> float:
    """By how much counters rose in the whole time of the grid, all together."""
    return float(np.nansum(together([_rise(each, grid) for each in found.values()], grid)))


def whole_quantile(found: Found, share: float, grid: Grid) -> float | None:
    """A quantile of what histograms have counted in the whole time of the grid (None: nothing)."""
    rises: dict[float, float] = {}
    for series, buckets in found.items():
        bound = _bound(series)
        rises[bound] = rises.get(bound, 0.0) + float(np.nansum(_rise(buckets, grid)))
    bounds = sorted(rises)
    if not bounds or bounds[-1] != np.inf:
        return None
    value = _quantile(bounds, np.maximum.accumulate(np.array([rises[bound] for bound in bounds])), share)
    return None if math.isnan(value) else value


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


def _bound(series: Series) -> float:
    """The upper bound of a histogram's bucket."""
    return float(dict(series.labels).get("le", "+Inf"))


def _rise(buckets: Buckets, grid: Grid) -> Floats:
    """By how much a counter rose to each moment from the one before.

    One that begins within the grid began at 0; a fall is a reset, after which it counts from 0.
    """
    level = grid.row(buckets.ends, buckets.highs)
    known = np.flatnonzero(~np.isnan(level))
    found = np.full(len(level), np.nan)
    if not len(known):
        return found
    steps = np.diff(level[known])
    found[known[1:]] = np.where(steps >= 0, steps, level[known[1:]])
    if known[0] > 1:
        found[known[0]] = level[known[0]]
    return found


def _quantile(bounds: Sequence[float], counts: Floats, share: float) -> float:
    total = counts[-1]
    if total <= 0:
        return math.nan
    rank = share * total
    at = int(np.searchsorted(counts, rank))
    if at >= len(bounds) - 1:
        return bounds[-2] if len(bounds) > 1 else math.nan
    below = float(counts[at - 1]) if at else 0.0
    low = bounds[at - 1] if at else 0.0
    width = float(counts[at]) - below
    return float(low + (bounds[at] - low) * ((rank - below) / width if width else 1.0))
