"""Blocks: so many series with successive numbers share a row, and hours and days are counted from 1970."""

from __future__ import annotations

import numpy as np

from nightowl.core.buckets import ends
from nightowl.core.frame import Floats, Numbers

SIZE = 64
"""Series in a block: so many are compacted in about 20 ms. Larger ones cost a reader of one series more, smaller ones
more bytes, as the last page of each row is half empty."""

HOUR = 3600.0
DAY = 24
"""Hours in a day."""

ROLLUP = 300.0
"""Seconds of a bucket that is kept."""

_HOURS = 1 << 24

FAR = 6e10
"""Seconds from 1970, beyond which no moment is meant: in the year 3871. Hours up to it fit into 24 bits."""


def blocks(numbers: Numbers) -> list[int]:
    """The blocks in which these series are."""
    return [int(block) for block in np.unique(numbers // SIZE)]


def meant(moment: float) -> float:
    """Return a bound of a window, in which infinity stands for the ends of time."""
    return min(max(moment, 0.0), FAR)


def hours(times: Floats) -> Numbers:
    """The hours in which these moments are; ``(hour, hour + 1]`` is one."""
    return np.rint(ends(times, HOUR) / HOUR).astype(np.int64) - 1


def keys(numbers: Numbers, times: Floats) -> Numbers:
    """One integer for each series and hour."""
    return numbers * _HOURS + hours(times)
