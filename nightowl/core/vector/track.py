"""The samples of one metric that some windows of its rules look at, in blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nightowl.core.points import NONE, Points
from nightowl.core.strategies.strategy import Span
from nightowl.core.vector.arrays import Floats, Rows
from nightowl.core.vector.block import Block
from nightowl.core.vector.windows import Windows

WIDTH = 4096
"""Series of one block at most."""


class Track:
    """What lies in ``span`` before an instant, of any number of rows."""

    def __init__(self, span: Span) -> None:
        self.span = span
        self.blocks: list[Block] = []

    @property
    def room(self) -> int:
        """How many rows it has room for."""
        return sum(block.width for block in self.blocks)

    def reach(self, rows: int) -> None:
        """Make room for so many rows."""
        while self.room < rows:
            missing = rows - self.room
            if self.blocks and self.blocks[-1].width < WIDTH:
                last = self.blocks[-1]
                last.widen(min(WIDTH, max(2 * last.width, last.width + missing)))
            else:
                self.blocks.append(Block(min(WIDTH, missing)))

    def take(self, rows: Rows, times: Floats, values: Floats) -> None:
        """Take samples of rows that there is room for."""
        for number, block, at in self._split(rows):
            block.take(rows[at] - number * WIDTH, times[at], values[at])

    def drop(self, rows: Rows) -> None:
        """Forget all samples of these rows."""
        for number, block, at in self._split(rows):
            block.drop(rows[at] - number * WIDTH)

    def trim(self, now: float) -> None:
        """Forget what no instant from ``now`` on looks at."""
        for block in self.blocks:
            block.trim(now - self.span.older)

    def newest(self) -> Floats:
        """The time of each row's last sample (minus infinity: there is none)."""
        return np.concatenate([block.newest() for block in self.blocks]) if self.blocks else np.zeros(0)

    def windows(self, block: int, start: float, end: float, rows: Rows | None) -> Windows:
        """The windows of a block, of some of its rows (None: of all)."""
        return Windows(self.blocks[block], start, end, rows)

    def points(self, row: int, start: float, end: float) -> Points:
        """The window of one row, as the core's functions take it."""
        block, column = self.blocks[row // WIDTH], row % WIDTH
        first, last = block.locate(start).at[column], block.locate(end).at[column]
        if first >= last:
            return NONE
        return Points(block.times[first:last, column].tolist(), block.values[first:last, column].tolist())

    def _split(self, rows: Rows) -> Iterator[tuple[int, Block, Rows | slice]]:
        """The blocks of these rows: number, block, and where its rows are among them."""
        if not len(rows):
            return
        numbers = rows // WIDTH
        if (np.diff(numbers) >= 0).all():  # as they come from the store: slices instead of copies
            edges = np.searchsorted(numbers, np.arange(len(self.blocks) + 1))
            for number, block in enumerate(self.blocks):
                if edges[number] < edges[number + 1]:
                    yield number, block, slice(edges[number], edges[number + 1])
            return
        for number in np.unique(numbers):
            yield int(number), self.blocks[number], np.flatnonzero(numbers == number)
