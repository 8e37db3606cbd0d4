"""How much counters rose from one snapshot to the next, for receivers that count by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nightowl.core.series import Series
from nightowl.core.sinks.selection import is_counter
from nightowl.core.values import Sample

KEPT = 86400.0
"""Seconds for which a counter that is not seen any more is still known."""


class Deltas:
    """Remembers what a receiver has been told of each counter.

    Counters are cumulative: while nothing is ``taken``, the difference grows and nothing is lost. One that went
    backwards began anew, so that all of it is the difference. So it is with one that is new, but only among others of
    its cluster: of a cluster that is seen for the first time it is not known how much of it is old.
    """

    def __init__(self) -> None:
        self._known: dict[Series, tuple[float, float]] = {}
        self._clusters: dict[str, float] = {}

    def of(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """Yield by how much each counter rose, which may be 0; gauges are left out."""
        for sample in samples:
            if not is_counter(sample.metric):
                continue
            before = self._known.get(Series(sample.metric, sample.labels))
            if before is None:
                rise = sample.value if _cluster(sample) in self._clusters else 0.0
            else:
                rise = sample.value - before[0] if sample.value >= before[0] else sample.value
            yield Sample(sample.metric, sample.labels, sample.time, rise)

    def new(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """Yield the counters that are new among others of their cluster."""
        for sample in samples:
            known = Series(sample.metric, sample.labels) in self._known
            if not known and is_counter(sample.metric) and _cluster(sample) in self._clusters:
                yield sample

    def taken(self, samples: Iterable[Sample]) -> None:
        """Note that the receiver has been told of these."""
        newest = 0.0
        for sample in samples:
            newest = max(newest, sample.time)
            self._clusters[_cluster(sample)] = sample.time
            if is_counter(sample.metric):
                self._known[Series(sample.metric, sample.labels)] = (sample.value, sample.time)
        self._known = {series: told for series, told in self._known.items() if newest - told[1] <= KEPT}
        self._clusters = {name: at for name, at in self._clusters.items() if newest - at <= KEPT}


def _cluster(sample: Sample) -> str:
    return next((value for name, value in sample.labels if name == "cluster"), "")
