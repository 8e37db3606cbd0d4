"""The series of one metric as rows, with their samples."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nightowl.core.series import Series
from nightowl.core.strategies.strategy import Span
from nightowl.core.vector.arrays import Bools, Floats, Rows
from nightowl.core.vector.track import Track

AHEAD = 300.0
"""Seconds for which samples of long ago are read before they are looked at."""


class Lagging(Track):
    """Samples of long ago, read from the store a little ahead; ``until``: up to where that was done."""

    def __init__(self, span: Span) -> None:
        super().__init__(span)
        self.until = -np.inf

    def wanted(self, now: float, ahead: float) -> tuple[float, float] | None:
        """What is to be read now, ``(start, end]`` (None: there is enough for the next instants)."""
        needed = now - self.span.newer
        if self.until >= needed + ahead / 4:
            return None
        return max(self.until, now - self.span.older), min(needed + ahead, now)


class Table:
    """Rows of series. ``near`` has the samples of lately, ``lagging`` those of periods ago.

    ``births`` names the rows in the order in which they were given to series, some more than once.
    """

    def __init__(self, span: float, lagging: Iterable[Span] = ()) -> None:
        """``span``: seconds that ``near`` goes back."""
        self.series: list[Series | None] = []
        self.near = Track(Span(span))
        self.lagging = {each: Lagging(each) for each in lagging}
        self.births: list[int] = []
        self.held: Bools = np.zeros(0, bool)
        self._rows: dict[Series, int] = {}
        self._free: list[int] = []

    def __len__(self) -> int:
        """How many rows there are, given to a series or not."""
        return len(self.series)

    @property
    def blocks(self) -> int:
        """How many blocks each of its tracks has."""
        return len(self.near.blocks)

    def row(self, series: Series) -> int:
        """The row of a series; one that is new is given one."""
        row = self._rows.get(series)
        if row is None:
            row = self._rows[series] = self._free.pop() if self._free else len(self.series)
            self.births.append(row)
            if row < len(self.series):
                self.series[row] = series
            else:
                self.series.append(series)
        return row

    def fit(self) -> None:
        """Make room for the rows that were given; to be called before samples of theirs are taken."""
        rows = len(self.series)
        for track in self.tracks():
            track.reach(rows)
        if len(self.held) < rows:
            self.held = np.pad(self.held, (0, self.near.room - len(self.held)))

    def tracks(self) -> list[Track]:
        """All its tracks."""
        return [self.near, *self.lagging.values()]

    def track(self, span: Span) -> Track:
        """The one that a window of this span is looked for in."""
        return self.lagging.get(span, self.near)

    def take(self, rows: Rows, times: Floats, values: Floats) -> None:
        """Take samples of lately."""
        self.fit()
        self.near.take(rows, times, values)

    def trim(self, now: float) -> Rows:
        """Forget what is not looked at any more, and series of which nothing is left unless they are ``held``.

        The rows of the latter are returned; others may get them.
        """
        self.fit()
        for track in self.tracks():
            track.trim(now)
        rows = len(self.series)
        gone = ~self.held[:rows]
        for track in self.tracks():
            gone &= track.newest()[:rows] <= now - track.span.older
        gone[self._free] = False
        dead = np.flatnonzero(gone)
        for track in self.tracks():
            track.drop(dead)
        for row in dead.tolist():
            series = self.series[row]
            if series is not None:
                del self._rows[series]
            self.series[row] = None
            self._free.append(row)
        self.held[:] = False
        return dead
