"""The head: samples lately of the series that rules look at, in memory, as columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nightowl.core.frame import Frame
from nightowl.core.series import Series
from nightowl.core.strategies.strategy import Span
from nightowl.core.values import Sample
from nightowl.core.vector.arrays import Floats, Rows
from nightowl.core.vector.table import AHEAD, Table

Names = Callable[[Sequence[int]], Mapping[int, Series]]
"""What the store's numbers of series stand for."""

_UNKNOWN, _UNKEPT = -1, -2


class Need(NamedTuple):
    """What rules need of a metric: ``span`` seconds of lately, and windows of long ago."""

    span: float
    lagging: frozenset[Span] = frozenset()


class Reading(NamedTuple):
    """Samples to be read from the store: those in ``(start, end]``; ``span`` None: of lately."""

    metric: str
    span: Span | None
    start: float
    end: float


class Head:
    """Takes samples in any order; of two of a series at one time the last taken wins. NaN and infinities are dropped.

    ``tables`` has them by metric.
    """

    def __init__(self, needs: Mapping[str, Need], ahead: float = AHEAD) -> None:
        """Metrics that are not needed are not kept. ``ahead``: seconds for which samples of long ago are read."""
        self.tables = {metric: Table(need.span, need.lagging) for metric, need in needs.items()}
        self._metrics = list(self.tables)
        self._ahead = ahead
        self._table: Rows = np.zeros(0, np.int64)
        self._row: Rows = np.zeros(0, np.int64)

    def keeps(self, metrics: Iterable[str]) -> bool:
        """Whether any of these metrics is kept."""
        return any(metric in self.tables for metric in metrics)

    def take(self, samples: Iterable[Sample], span: Span | None = None) -> None:
        """Take samples; those of metrics that are not kept are left out. ``span``: they were read for that."""
        found: dict[str, tuple[list[int], list[float], list[float]]] = {metric: ([], [], []) for metric in self.tables}
        for sample in samples:
            columns = found.get(sample.metric)
            if columns is not None and math.isfinite(sample.value):
                columns[0].append(self.tables[sample.metric].row(Series(sample.metric, sample.labels)))
                columns[1].append(sample.time)
                columns[2].append(sample.value)
        for metric, (rows, times, values) in found.items():
            if rows:
                self._give(self.tables[metric], span, np.array(rows), np.array(times), np.array(values))

    def take_frame(self, frame: Frame, names: Names, span: Span | None = None) -> None:
        """Take samples as the store numbers their series; ``names`` is asked once for each."""
        finite = np.isfinite(frame.values)
        if not finite.all():
            frame = Frame(frame.numbers[finite], frame.times[finite], frame.values[finite])
        if not len(frame):
            return
        self._know(frame.numbers, names)
        tables = self._table[frame.numbers]
        for number in np.unique(tables):
            if number >= 0:
                at = slice(None) if (tables == number).all() else np.flatnonzero(tables == number)
                rows = self._row[frame.numbers[at]]
                self._give(self.tables[self._metrics[number]], span, rows, frame.times[at], frame.values[at])

    def take_listed(self, series: Sequence[Series], frame: Frame, span: Span | None = None) -> None:
        """Take samples of one metric; a number is the place of its series in the list."""
        if len(frame):
            table = self.tables[series[0].metric]
            rows = np.array([table.row(each) for each in series])
            self._give(table, span, rows[frame.numbers], frame.times, frame.values)

    def wanted(self, now: float) -> list[Reading]:
        """What of long ago is to be read before an instant ``now`` can be evaluated; give it to ``take``."""
        found = []
        for metric, table in self.tables.items():
            for span, track in table.lagging.items():
                wanted = track.wanted(now, self._ahead)
                if wanted is not None:
                    found.append(Reading(metric, span, *wanted))
        return found

    def read(self, reading: Reading) -> None:
        """Note that this was read and taken."""
        if reading.span is not None:
            self.tables[reading.metric].lagging[reading.span].until = reading.end

    def trim(self, now: float) -> None:
        """Forget what instants from ``now`` on do not look at."""
        for at, table in enumerate(self.tables.values()):
            dead = table.trim(now)
            if len(dead):
                self._table[(self._table == at) & np.isin(self._row, dead)] = _UNKNOWN

    @staticmethod
    def _give(table: Table, span: Span | None, rows: Rows, times: Floats, values: Floats) -> None:
        if span is None:
            table.take(rows, times, values)
        else:
            table.fit()
            table.lagging[span].take(rows, times, values)

    def _know(self, numbers: Rows, names: Names) -> None:
        """Learn the rows of series that these numbers stand for."""
        most = int(numbers.max())
        if most >= len(self._table):
            more = 2 * most + 1 - len(self._table)
            self._table = np.pad(self._table, (0, more), constant_values=_UNKNOWN)
            self._row = np.pad(self._row, (0, more), constant_values=_UNKNOWN)
        new = np.unique(numbers[self._table[numbers] == _UNKNOWN])
        if not len(new):
            return
        self._table[new] = _UNKEPT  # also those that the store has forgotten
        positions = {metric: at for at, metric in enumerate(self._metrics)}
        for number, series in names(new.tolist()).items():
            at = positions.get(series.metric, _UNKEPT)
            self._table[number] = at
            if at >= 0:
                self._row[number] = self.tables[series.metric].row(series)
