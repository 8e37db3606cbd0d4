"""Samples of many series at once, column by column: what is stored, tailed and taken in without an object a sample."""

from __future__ import annotations

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
