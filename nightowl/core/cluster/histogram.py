"""Histograms of seconds in narrow buckets, out of which the wide ones of metrics are made.

The bounds of narrow buckets are a fifth apart, from a millisecond to a month; those of the wide ones are among them.
Of each bucket the sum is kept, too: what all lay at one value in it is then told exactly.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import inf

import msgspec

_STEPS = 4  # narrow buckets from one power of two to the next
_NARROW = tuple(2.0 ** (step / _STEPS) for step in range(-10 * _STEPS, 22 * _STEPS))


class Tally(msgspec.Struct, gc=False, array_like=True):
    """How many values lie in one bucket, and their sum."""

    count: int = 0
    sum: float = 0.0


class Histogram(msgspec.Struct, array_like=True):
    """Values by the upper bounds of their narrow buckets; those that are empty are not there."""

    tallies: dict[float, Tally] = {}

    @property
    def sum(self) -> float:
        """The sum of all values."""
        return sum(tally.sum for tally in list(self.tallies.values()))

    def counts(self, bounds: Sequence[float]) -> list[int]:
        """How many values lie within each of these rising bounds, and how many there are; each counts the ones before.

        The bounds are among those that values were observed with.
        """
        found = [0] * (len(bounds) + 1)
        for bound, tally in list(self.tallies.items()):
            found[bisect_left(bounds, bound)] += tally.count
        return list(accumulate(found))

    def add(self, other: Histogram) -> None:
        """Add what another has counted."""
        for bound, tally in list(other.tallies.items()):
            mine = self.tallies.setdefault(bound, Tally())
            mine.count += tally.count
            mine.sum += tally.sum


def narrow(bounds: Iterable[float]) -> tuple[float, ...]:
    """Return the bounds of narrow buckets, these among them; the last is infinite."""
    return (*sorted({*bounds, *_NARROW}), inf)


def observe(histogram: Histogram, bounds: tuple[float, ...], seconds: float) -> None:
    """Count a value in its narrow bucket; ``bounds`` are what ``narrow`` returned."""
    bound = bounds[bisect_left(bounds, seconds)]
    tally = histogram.tallies.get(bound)
    if tally is None:
        tally = histogram.tallies[bound] = Tally()
    tally.count += 1
    tally.sum += seconds
