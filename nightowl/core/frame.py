"""Samples of many series at once, column by column: what is stored, tailed and taken in without an object a sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = NDArray[np.int64]


class Frame(msgspec.Struct, frozen=True):
    """Columns of one length: the store's numbers of the series, event times (Unix seconds) and values."""

    numbers: Numbers
    times: Floats
    values: Floats

    def __len__(self) -> int:
        return len(self.numbers)

    def only(self, which: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Frame:
        """Those that a mask, places or a slice select."""
        return Frame(self.numbers[which], self.times[which], self.values[which])


EMPTY = Frame(np.empty(0, np.int64), np.empty(0), np.empty(0))
_COLUMNS = Frame.__struct_fields__


def joined(frames: Sequence[Frame]) -> Frame:
    """Put frames behind one another."""
    if len(frames) == 1:
        return frames[0]
    return Frame(
        *(np.concatenate([getattr(EMPTY, name), *(getattr(each, name) for each in frames)]) for name in _COLUMNS)
    )


def settled(frame: Frame) -> Frame:
    """Order a frame by number, then time; of several samples of one series at one time the last stays."""
    same, later = np.diff(frame.numbers), np.diff(frame.times)
    if ((same > 0) | ((same == 0) & (later > 0))).all():
        return frame
    order = np.lexsort((frame.times, frame.numbers))
    numbers, times = frame.numbers[order], frame.times[order]
    is_last = np.ones(len(order), dtype=np.bool_)
    is_last[:-1] = (numbers[1:] != numbers[:-1]) | (times[1:] != times[:-1])
    return Frame(numbers[is_last], times[is_last], frame.values[order][is_last])


def runs(numbers: Numbers) -> Iterator[tuple[int, slice]]:
    """Yield each number of a column that ascends, with where it stands."""
    edges = [*np.flatnonzero(np.diff(numbers, prepend=numbers[:1] - 1)).tolist(), len(numbers)]
    for first, last in pairwise(edges):
        yield int(numbers[first]), slice(first, last)
