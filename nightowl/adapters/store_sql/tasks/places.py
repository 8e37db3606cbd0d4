"""The id of a task: its cluster, the millisecond in which it was first seen, and a number within that.

So the primary key alone is the order of lists, and a range of it a time of one cluster.
"""

from __future__ import annotations

from typing import NamedTuple

MOST_CLUSTERS = 511
MILLISECOND = 1 << 14
"""Ids of a millisecond; where more tasks are first seen in one, the next one's are taken."""

_EPOCH = 1_577_836_800  # 2020, in Unix seconds
_SEQUENCE = MILLISECOND.bit_length() - 1
_MOMENT = 40  # bits: milliseconds up to the year 2054
_LAST_MOMENT = (1 << _MOMENT) - (1 << 20)  # with room behind it, for whatever comes from a clock gone wrong
_SPILL = 16  # milliseconds by which a task may stand too late


class Span(NamedTuple):
    """Ids from ``first`` to ``last``, both included."""

    first: int
    last: int


def of_cluster(cluster: int) -> Span:
    """All ids of a cluster."""
    return Span(cluster << _MOMENT + _SEQUENCE, (cluster + 1 << _MOMENT + _SEQUENCE) - 1)


def first_of(start: int, seen: float) -> int:
    """The first id of the millisecond that this moment (Unix seconds) is in; ``start`` is the cluster's first id."""
    return start | _moment(seen) << _SEQUENCE


def until(start: int, seen: float) -> int:
    """An id that no task first seen at this moment or before is beyond."""
    return millisecond(start + (_moment(seen) + _SPILL << _SEQUENCE)).last


def millisecond(first: int) -> Span:
    """All ids of the millisecond that ``first`` begins."""
    return Span(first, first + MILLISECOND - 1)


def _moment(seen: float) -> int:
    if not seen > _EPOCH:
        return 0
    return min(int((min(seen, 1e12) - _EPOCH) * 1000), _LAST_MOMENT)
