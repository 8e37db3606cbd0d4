"""Windows of many series at once, and what they say: what ``core.points`` says of one.

Sums are added in another order than there; ``slack`` is how far such a figure may be from the core's (0: it is the
same to the last bit).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from nightowl.core.vector.arrays import Bools, Floats, Rows
from nightowl.core.vector.block import Block

_ULP = 2.0**-52
_GRAIN = 2.0**10
_EXACT = 2.0**42
"""Multiples of 1/1024 that come to less than this are added without rounding, in any order."""


class Figure(NamedTuple):
    """One figure a row: its value, how far the core's may be from that, and where there is one."""

    value: Floats
    slack: Floats
    known: Bools


class _Part(NamedTuple):
    """Windows of some rows of a block, one a column; ``inside`` marks the samples (None: all are)."""

    rows: Rows | slice
    values: Floats
    counts: Rows
    inside: Bools | None

    @property
    def mask(self) -> Bools | bool:
        """What numpy takes as ``where``."""
        return True if self.inside is None else self.inside

    def filled(self, by: float) -> Floats:
        """The samples, and this in place of those that are not there."""
        return self.values if self.inside is None else np.where(self.inside, self.values, by)


class Windows:
    """The samples in ``(start, end]`` of rows of a block (None: all). ``careful``: see ``of``."""

    def __init__(self, block: Block, start: float, end: float, rows: Rows | None = None, careful: bool = False) -> None:
        self._block = block
        self._bounds = (start, end)
        self._rows = rows
        self._careful = careful
        first, last = block.locate(start), block.locate(end)
        self._even = (first.even, last.even)
        self._first, self._last = (each.at if rows is None else each.at[rows] for each in (first, last))
        self.count: Rows = self._last - self._first

    def of(self, rows: Rows, careful: bool = False) -> Windows:
        """Those of some of its rows. ``careful``: sums are looked at closely, and fewer have slack."""
        inner = rows if self._rows is None else self._rows[rows]
        return Windows(self._block, *self._bounds, inner, careful or self._careful)

    def exactly(self, values: Floats, known: Bools | None = None) -> Figure:
        """A figure without slack; by default known where there are samples."""
        return Figure(values, np.zeros(len(values)), self.count > 0 if known is None else known)

    def last(self) -> Floats:
        """The newest sample."""
        return self._edge(self._block.values, self._last - 1)

    def lowest(self) -> Floats:
        """The least value."""
        return self._reduced(lambda part: part.filled(np.inf).min(axis=0))

    def highest(self) -> Floats:
        """The greatest value."""
        return self._reduced(lambda part: part.filled(-np.inf).max(axis=0))

    def median(self) -> Floats:
        """The middle value, or the mean of the two in the middle."""
        return self._reduced(_median)

    def mostly_above(self, bound: Floats) -> Bools:
        """Where more than half of the samples are greater, and so the median is."""
        return self._mostly(lambda part: part.filled(-np.inf) > bound[part.rows])

    def mostly_below(self, bound: Floats) -> Bools:
        """Where more than half of the samples are less, and so the median is."""
        return self._mostly(lambda part: part.filled(np.inf) < bound[part.rows])

    def total(self) -> Figure:
        """The sum."""
        value = self._reduced(lambda part: part.filled(0.0).sum(axis=0))
        size = self._reduced(lambda part: np.abs(part.filled(0.0)).sum(axis=0))
        slack = 2 * _ULP * self.count * size
        if self._careful:
            low = self.lowest()
            same = low == self.highest()
            value = np.where(same, self.count * low, value)
            grained = self._reduced(lambda part: _grained(part.filled(0.0)).astype(float)) > 0
            slack = np.where(same | (grained & (size < _EXACT)), 0.0, slack)
        return Figure(value, slack, self.count > 0)

    def mean(self) -> Figure:
        """The mean."""
        value, slack, known = self.total()
        return Figure(value / self.count, _loosened(slack / self.count, value / self.count), known)

    def rate(self) -> Figure:
        """Increase a second; a fall is a reset, and the new value counts from 0."""
        known = self.count > 1
        value = self._reduced(lambda part: _rises(part).sum(axis=0))
        size = self._reduced(lambda part: np.abs(_rises(part)).sum(axis=0))
        slack = 2 * _ULP * self.count * size
        if self._careful:
            grained = self._reduced(lambda part: _grained(_rises(part)).astype(float)) > 0
            slack = np.where(grained & (size < _EXACT), 0.0, slack)
        span = self._edge(self._block.times, self._last - 1) - self._edge(self._block.times, self._first)
        return Figure(value / span, _loosened(slack / span, value / span), known)

    def deviation(self) -> Figure:
        """The population standard deviation."""
        middle, slack, known = self.mean()
        squares = self._reduced(lambda part: np.square(part.values - middle[part.rows]).sum(axis=0, where=part.mask))
        value = np.sqrt(squares / self.count)
        same = (value == 0.0) & (slack == 0.0)
        loose = slack + _ULP * self.count * value + _ULP * np.abs(middle)
        return Figure(value, np.where(same, 0.0, loose), known)

    def _edge(self, of: Floats, at: Rows) -> Floats:
        """One entry of each row; any at all where there is none."""
        at = np.clip(at, 0, len(of) - 1)
        if self._rows is None and bool((at == at[0]).all()):
            found: Floats = of[at[0]]
            return found
        columns = np.arange(self._block.width) if self._rows is None else self._rows
        return of[at, columns]

    def _mostly(self, marked: Callable[[_Part], Bools]) -> Bools:
        counts = self._reduced(lambda part: np.count_nonzero(marked(part), axis=0).astype(float))
        return counts > self.count // 2

    def _reduced(self, reduce: Callable[[_Part], Floats]) -> Floats:
        """One number a row; 0 where there are no samples."""
        found = np.zeros(len(self.count))
        for part in self._parts:
            found[part.rows] = np.where(part.counts > 0, reduce(part), 0.0)
        return found

    @cached_property
    def _parts(self) -> Sequence[_Part]:
        """The windows as few slices: that of most rows over all of them, then those of the others anew."""
        return list(self._sliced())

    def _sliced(self) -> Iterator[_Part]:
        first, last = self._even
        odd = np.flatnonzero((self._first != first) | (self._last != last))
        if self._rows is None and first < last and 2 * len(odd) <= len(self.count):
            block, every = self._block, np.full(len(self.count), last - first)
            yield _Part(slice(None), block.values[first:last], every, None)
        else:
            odd = np.arange(len(self.count))
        if len(odd):
            yield self._gathered(odd)

    def _gathered(self, rows: Rows) -> _Part:
        count = self.count[rows]
        longest = max(int(count.max()), 1)
        steps = np.arange(longest)[:, None]
        at = np.minimum(self._first[rows] + steps, len(self._block.times) - 1)
        columns = rows if self._rows is None else self._rows[rows]
        inside = None if (count == longest).all() else steps < count
        return _Part(rows, np.take(self._block.values, at * self._block.width + columns), count, inside)


def _median(part: _Part) -> Floats:
    found = np.zeros(len(part.counts))
    for count in np.unique(part.counts[part.counts > 0]):
        rows = np.flatnonzero(part.counts == count)
        columns = slice(None) if len(rows) == len(found) else rows
        found[rows] = _middle(part.values[:count, columns].T.copy("C"))  # which is reordered there
    return found


def _middle(rows: Floats) -> Floats:
    """The median of each row; a partition at one place is several times as fast as one at two."""
    half = rows.shape[1] // 2
    rows.partition(half, axis=1)
    upper: Floats = rows[:, half]
    return upper if rows.shape[1] % 2 else (rows[:, :half].max(axis=1) + upper) / 2


def _rises(part: _Part) -> Floats:
    """The increases from sample to sample, and 0 where there are none."""
    steps = np.diff(part.values, axis=0)
    rises = np.where(steps >= 0, steps, part.values[1:])
    return rises if part.inside is None else np.where(part.inside[1:], rises, 0.0)


def _grained(values: Floats) -> Bools:
    """Where all values are multiples of 1/1024."""
    grains = values * _GRAIN
    return np.asarray((grains == np.rint(grains)).all(axis=0))


def _loosened(slack: Floats, value: Floats) -> Floats:
    """The slack after one more operation: none where there was none."""
    return np.where(slack == 0.0, 0.0, slack + 4 * _ULP * np.abs(value))
