"""Buckets of time: the smallest, largest and mean value of series in each, and how many samples there were.

A bucket is known by its end and holds ``(end - every, end]``; ends are multiples of ``every`` (Unix seconds).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from nightowl.core.frame import Floats, Frame, Numbers, runs


class Buckets(msgspec.Struct, frozen=True):
    """Columns of one length, by series, then end; what is empty is not there.

    ``numbers`` are those of the series, ``totals`` the sums of the values (infinite where a double cannot hold them),
    ``counts`` how many there were.
    """

    numbers: Numbers
    ends: Floats
    lows: Floats
    highs: Floats
    totals: Floats
    counts: Numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def means(self) -> Floats:
        """The mean of each bucket."""
        return self.totals / self.counts

    def only(self, which: NDArray[np.bool_] | slice) -> Buckets:
        """Those that a mask or a slice selects."""
        return Buckets(*(getattr(self, name)[which] for name in self.__struct_fields__))


def ends(times: Floats, every: float) -> Floats:
    """Return the ends of the buckets that these moments fall into."""
    found = np.ceil(times / every) * every
    found = np.where(found < times, found + every, found)  # a quotient may be rounded over the edge
    return np.where(found - every >= times, found - every, found)


def of_samples(frame: Frame, every: float) -> Buckets:
    """Put samples into buckets; the frame is by number, then time."""
    ones = np.ones(len(frame), dtype=np.int64)
    return coarser(Buckets(frame.numbers, frame.times, frame.values, frame.values, frame.values, ones), every)


def coarser(fine: Buckets, every: float) -> Buckets:
    """Put buckets into larger ones, each into that in which it ends."""
    if not len(fine):
        return fine
    into = ends(fine.ends, every)
    is_first = np.ones(len(fine), dtype=np.bool_)
    is_first[1:] = (fine.numbers[1:] != fine.numbers[:-1]) | (into[1:] != into[:-1])
    first = np.flatnonzero(is_first)
    with np.errstate(over="ignore"):
        totals = np.add.reduceat(fine.totals, first)
    return Buckets(
        numbers=fine.numbers[first],
        ends=into[first],
        lows=np.minimum.reduceat(fine.lows, first),
        highs=np.maximum.reduceat(fine.highs, first),
        totals=totals,
        counts=np.add.reduceat(fine.counts, first),
    )


def joined(parts: Sequence[Buckets]) -> Buckets:
    """Put buckets together, by number, then end; those of one series that end together stay apart."""
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in Buckets.__struct_fields__]
    order = np.lexsort((columns[1], columns[0]))
    return Buckets(*(column[order] for column in columns))


def by_series(buckets: Buckets) -> Iterator[tuple[int, Buckets]]:
    """Yield each number with its buckets."""
    for number, where in runs(buckets.numbers):
        yield number, buckets.only(where)
