"""The head: samples lately of the series that rules look at, in memory."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping

from nightowl.core.points import Points
from nightowl.core.series import Series
from nightowl.core.values import Sample


class Head:
    """Takes samples in any order; of two of a series at one time the last taken wins. NaN and infinities are dropped.

    ``known`` has the samples by series, and follows what is taken.
    """

    def __init__(self) -> None:
        self.known: dict[Series, Points] = {}
        self._spans: Mapping[str, float] = {}
        self._samples: dict[Series, tuple[list[float], list[float]]] = {}

    def keep(self, spans: Mapping[str, float]) -> None:
        """From now on keep these metrics, each for so many seconds, and forget the others."""
        self._spans = spans
        for series in [each for each in self._samples if each.metric not in spans]:
            del self._samples[series], self.known[series]

    def keeps(self, metrics: Iterable[str]) -> bool:
        """Whether any of these metrics is kept."""
        return any(metric in self._spans for metric in metrics)

    def take(self, samples: Iterable[Sample]) -> None:
        """Take samples; those of metrics that are not kept are left out."""
        for sample in samples:
            if sample.metric in self._spans and math.isfinite(sample.value):
                self._put(Series(sample.metric, sample.labels), sample.time, sample.value)

    def trim(self, now: float) -> None:
        """Forget what is older than its metric is kept, and series of which nothing is left."""
        for series, (times, values) in list(self._samples.items()):
            gone = bisect_right(times, now - self._spans[series.metric])
            if gone == len(times):
                del self._samples[series], self.known[series]
            else:
                del times[:gone], values[:gone]

    def _put(self, series: Series, time: float, value: float) -> None:
        found = self._samples.get(series)
        if found is None:
            found = self._samples[series] = ([], [])
            self.known[series] = Points(*found)
        times, values = found
        at = len(times) if not times or time > times[-1] else bisect_left(times, time)
        if at < len(times) and times[at] == time:
            values[at] = value
        else:
            times.insert(at, time)
            values.insert(at, value)
