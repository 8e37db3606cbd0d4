"""Compacted hours: the samples of a block, packed series by series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, select

from nightowl.adapters.store_sql.schema import HOURS
from nightowl.adapters.store_sql.series.blocks import SIZE, hours, meant
from nightowl.adapters.store_sql.series.columns import Block
from nightowl.adapters.store_sql.session import Session
from nightowl.core.frame import EMPTY, Frame, Numbers, joined

_CHUNK = 500


class Hours:
    """The rows of compacted hours, in one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def between(self, numbers: Numbers, blocks: Sequence[int], start: float, end: float) -> Frame:
        """Samples of these series in ``(start, end]``, and some besides."""
        first, last = (int(hour) for hour in hours(np.array([meant(start), meant(end)])))
        wanted = set(numbers.tolist())
        inside = HOURS.c.hour.between(first, last)
        chunks = (blocks[at : at + _CHUNK] for at in range(0, len(blocks), _CHUNK))
        return joined(
            [EMPTY, *(each for some in chunks for each in self._frames(wanted, HOURS.c.block.in_(some), inside))]
        )

    def since(self, start: float) -> Frame:
        """Samples of all series after ``start``, and some besides."""
        [first] = hours(np.array([meant(start)]))
        return joined([EMPTY, *self._frames(None, HOURS.c.hour >= int(first))])

    def get(self, block: int, hour: int) -> Block:
        """What is packed of an hour."""
        query = select(HOURS.c.samples).where(HOURS.c.block == block, HOURS.c.hour == hour)
        return Block(self._session.connection.execute(query).scalar_one_or_none())

    def put(self, block: int, hour: int, samples: Block) -> None:
        """Write an hour in place of what is there."""
        self._session.upsert(HOURS, [(block, hour, samples.dump())])

    def _frames(self, wanted: set[int] | None, *which: ColumnElement[bool]) -> Iterator[Frame]:
        query = select(HOURS.c.block, HOURS.c.samples).where(*which)
        for row in self._session.connection.execute(query):
            yield _unpacked(row, wanted)


def _unpacked(row: Any, wanted: set[int] | None) -> Frame:
    packed = Block(row.samples)
    first = row.block * SIZE
    found = [
        (first + place, *packed.get(place)) for place in packed.places() if wanted is None or first + place in wanted
    ]
    if not found:
        return EMPTY
    numbers, axes, columns = zip(*found, strict=True)
    lengths = [len(times) for [times] in axes]
    return Frame(
        np.repeat(np.array(numbers, dtype=np.int64), lengths),
        np.concatenate([times for [times] in axes]),
        np.concatenate([values for [values] in columns]),
    )
