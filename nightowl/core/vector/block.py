"""Samples of some thousand series side by side: one column of memory a series, its samples in order of time.

The samples that many series took at one moment lie beside each other, so that windows of all are mostly one slice.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nightowl.core.vector.arrays import Bools, Floats, Rows

_SPARE = 16
"""Positions kept free at least."""


class Found(NamedTuple):
    """Where a moment lies in each series: ``at[row]`` of its positions are not later. ``even``: where most have it."""

    at: Rows
    even: int


class Block:
    """``times[position, row]`` and ``values[position, row]``; those of a row lie from ``begin`` to before ``end``."""

    def __init__(self, width: int) -> None:
        self.times: Floats = np.zeros((_SPARE, width))
        self.values: Floats = np.zeros((_SPARE, width))
        self.begin: Rows = np.zeros(width, np.int64)
        self.end: Rows = np.zeros(width, np.int64)
        self._rows: Rows = np.arange(width)
        self._found: dict[float, Found] = {}

    @property
    def width(self) -> int:
        """How many series there is room for."""
        return len(self._rows)

    def widen(self, width: int) -> None:
        """Make room for more series."""
        more = width - self.width
        self.times, self.values = (np.pad(each, ((0, 0), (0, more))) for each in (self.times, self.values))
        self.begin, self.end = (np.pad(each, (0, more)) for each in (self.begin, self.end))
        self._rows = np.arange(width)
        self._found.clear()

    def take(self, rows: Rows, times: Floats, values: Floats) -> None:
        """Take samples in any order; of two of a row at one time the last given wins."""
        self._found.clear()
        if len(rows) > 1 and np.bincount(rows).max() > 1:
            order = np.lexsort((times, rows))  # keeps the order of equals
            rows, times, values = rows[order], times[order], values[order]
            starts = np.flatnonzero(np.diff(rows, prepend=-1))
            turn = np.arange(len(rows)) - np.repeat(starts, np.diff(starts, append=len(rows)))
            by_turn = np.argsort(turn, kind="stable")
            for part in np.split(by_turn, np.cumsum(np.bincount(turn))[:-1]):
                self._put(rows[part], times[part], values[part])
        else:
            self._put(rows, times, values)

    def drop(self, rows: Rows) -> None:
        """Forget all samples of these rows."""
        self.begin[rows] = self.end[rows] = 0
        self._found.clear()

    def newest(self) -> Floats:
        """The time of each row's last sample (minus infinity: it has none)."""
        return np.where(self.end > self.begin, self.times[self.end - 1, self._rows], -np.inf)

    def trim(self, start: float) -> None:
        """Forget samples up to ``start``, now or when room is needed next."""
        if len(self.times) - self.end.max() < _SPARE // 2:
            self._compact(start)

    def locate(self, moment: float) -> Found:
        """Where a moment lies in each row."""
        found = self._found.get(moment)
        if found is None:
            found = self._found[moment] = self._locate(moment)
        return found

    def _locate(self, moment: float) -> Found:
        model = int(np.argmax(self.end - self.begin))
        start, end = int(self.begin[model]), int(self.end[model])
        even = start + int(np.searchsorted(self.times[start:end, model], moment, "right"))
        before, after = self.times[even - 1], self.times[min(even, len(self.times) - 1)]
        right: Bools = (self.begin <= even) & (even <= self.end)
        right &= (self.begin == even) | (before <= moment)
        right &= (self.end == even) | (after > moment)
        at = np.full(self.width, even)
        wrong = np.flatnonzero(~right)
        if len(wrong):
            at[wrong] = self._search(wrong, moment)
        return Found(at, even)

    def _search(self, rows: Rows, moment: float) -> Rows:
        """Bisect in each row."""
        low, high = self.begin[rows], self.end[rows]
        for _ in range(len(self.times).bit_length()):
            middle = (low + high) // 2
            earlier = (low < high) & (self.times[np.minimum(middle, len(self.times) - 1), rows] <= moment)
            low, high = np.where(earlier, middle + 1, low), np.where(earlier, high, middle)
        return low

    def _put(self, rows: Rows, times: Floats, values: Floats) -> None:
        """Take at most one sample a row."""
        ends = self.end[rows]
        newest = np.where(ends > self.begin[rows], self.times[ends - 1, rows], -np.inf)
        later = times > newest
        if later.all():
            self._append(rows, times, values)
            return
        self._append(rows[later], times[later], values[later])
        same = times == newest
        self.values[ends[same] - 1, rows[same]] = values[same]
        for at in np.flatnonzero(times < newest):
            self._insert(int(rows[at]), float(times[at]), float(values[at]))

    def _append(self, rows: Rows, times: Floats, values: Floats) -> None:
        if not len(rows):
            return
        empty = rows[self.begin[rows] == self.end[rows]]
        if len(empty):
            self.begin[empty] = self.end[empty] = self._front(float(times.max()))
        if self.end[rows].max() >= len(self.times):
            self._grow()
        ends = self.end[rows]
        self.times[ends, rows] = times
        self.values[ends, rows] = values
        self.end[rows] += 1

    def _front(self, moment: float) -> int:
        """Where the other rows have, or will have, their samples of a moment that is as new as theirs."""
        newest = int(self.end.max())
        reached = newest and self.newest().max() >= moment
        return newest - 1 if reached else newest

    def _insert(self, row: int, time: float, value: float) -> None:
        if self.end[row] >= len(self.times):
            self._grow()
        start, end = int(self.begin[row]), int(self.end[row])
        at = start + int(np.searchsorted(self.times[start:end, row], time))
        if at < end and self.times[at, row] == time:
            self.values[at, row] = value
            return
        for column in (self.times[:, row], self.values[:, row]):
            column[at + 1 : end + 1] = column[at:end].copy()
        self.times[at, row], self.values[at, row] = time, value
        self.end[row] += 1

    def _grow(self) -> None:
        more = max(_SPARE, len(self.times) // 4)
        self.times, self.values = (np.pad(each, ((0, more), (0, 0))) for each in (self.times, self.values))

    def _compact(self, start: float) -> None:
        """Move what is kept to the front, so that all rows end at one position."""
        first = self._locate(start).at
        kept = self.end - first
        shift = first - (kept.max() - kept)
        depth = int(kept.max()) + max(_SPARE, int(kept.max()) // 4)
        times, values = np.zeros((depth, self.width)), np.zeros((depth, self.width))
        for by in np.unique(shift[kept > 0]):
            rows = np.flatnonzero((shift == by) & (kept > 0))
            low, high = int(first[rows].min()), int(self.end[rows].max())
            columns = slice(None) if len(rows) == self.width else rows
            times[low - by : high - by, columns] = self.times[low:high, columns]
            values[low - by : high - by, columns] = self.values[low:high, columns]
        self.times, self.values = times, values
        self.end = np.full(self.width, int(kept.max()))
        self.begin = self.end - kept
        self._found.clear()
