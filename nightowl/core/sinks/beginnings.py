"""The zeros from which counters rise, for receivers that are sent counters as they are.

A receiver tells how much a counter rose from two values of it. One that is first seen at 5, such as the failures by an
exception that is new, would rise by nothing there: so it is sent at 0 once, before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from nightowl.core.series import Series
from nightowl.core.sinks.deltas import Deltas
from nightowl.core.sinks.selection import is_counter, relabelled
from nightowl.core.values import Sample


class Beginnings:
    """Remembers which counters a receiver knows, and when it was told of any last."""

    def __init__(self, labels: Mapping[str, str | Literal[False]], every: float) -> None:
        """``labels`` are changed as by ``relabelled``; ``every`` is the seconds between two snapshots."""
        self._labels = labels
        self._every = every
        self._deltas = Deltas()
        self._last = 0.0

    def of(self, samples: Iterable[Sample], at: float) -> list[Sample]:
        """Return a zero for each counter that the receiver does not know, under the labels that it is sent with.

        The zeros are of the snapshot before ``at`` (Unix seconds), or of ``every`` seconds ago where that is longer
        past. Which counters are new is as with ``Deltas``: of a cluster that is seen for the first time, none is. One
        that is put together with others, of which one is known, is known.
        """
        counters = [sample for sample in samples if is_counter(sample.metric)]
        new = {Series(sample.metric, sample.labels) for sample in self._deltas.new(counters)}
        if not new:
            return []
        apart: tuple[list[Sample], list[Sample]] = ([], [])
        for sample in counters:
            apart[Series(sample.metric, sample.labels) in new].append(sample)
        known = {(sample.metric, sample.labels) for sample in relabelled(apart[False], self._labels)}
        before = max(self._last, at - self._every)
        return [
            Sample(sample.metric, sample.labels, before, 0.0)
            for sample in relabelled(apart[True], self._labels)
            if (sample.metric, sample.labels) not in known
        ]

    def taken(self, samples: Iterable[Sample], at: float) -> None:
        """Note that the receiver has been told of these at ``at`` (Unix seconds)."""
        self._deltas.taken(samples)
        self._last = at


def begun(samples: Iterable[Sample], zeros: Sequence[Sample]) -> list[Sample]:
    """Return samples, those of which there is a zero at 0: for a receiver that takes no value of the past."""
    new = {(zero.metric, zero.labels) for zero in zeros}
    return [
        Sample(sample.metric, sample.labels, sample.time, 0.0) if (sample.metric, sample.labels) in new else sample
        for sample in samples
    ]
