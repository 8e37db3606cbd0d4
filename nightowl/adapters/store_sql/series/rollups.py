"""Rollups: buckets of five minutes of a block's closed hours, packed series by series for a whole day.

A day in a row takes about a third of the bytes that hours in rows of their own took. Sums are kept, as they are whole
where the values are; means are not, and took twice the bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sqlalchemy import select

from nightowl.adapters.store_sql.schema import ROLLUPS
from nightowl.adapters.store_sql.series.blocks import DAY, HOUR, ROLLUP, SIZE, hours, meant
from nightowl.adapters.store_sql.series.columns import Block, Column
from nightowl.adapters.store_sql.session import Session
from nightowl.core.buckets import Buckets, joined, of_samples
from nightowl.core.frame import EMPTY, Numbers

_CHUNK = 500

_NONE = of_samples(EMPTY, ROLLUP)


class Rollups:
    """The rows of rollups, in one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def between(self, numbers: Numbers, blocks: Sequence[int], start: float, end: float) -> Buckets:
        """Buckets of these series that end in ``(start, end]``, and some besides."""
        first, last = (int(hour) // DAY for hour in hours(np.array([meant(start), meant(end)])))
        wanted = set(numbers.tolist())
        found = [_NONE]
        for at in range(0, len(blocks), _CHUNK):
            query = select(ROLLUPS).where(ROLLUPS.c.block.in_(blocks[at : at + _CHUNK]))
            rows = self._session.connection.execute(query.where(ROLLUPS.c.day.between(first, last)))
            found.extend(each for row in rows for each in _unpacked(row, wanted))
        return joined(found)

    def get(self, block: int, day: int) -> Block:
        """What is packed of a day."""
        query = select(ROLLUPS.c.buckets).where(ROLLUPS.c.block == block, ROLLUPS.c.day == day)
        return Block(self._session.connection.execute(query).scalar_one_or_none())

    def put(self, block: int, day: int, buckets: Block) -> None:
        """Write a day in place of what is there."""
        self._session.upsert(ROLLUPS, [(block, day, buckets.dump())])


def has(packed: Block, place: int, hour: int) -> bool:
    """Whether there are buckets of this hour."""
    if place not in packed:
        return False
    [places, _counts], _ = packed.get(place)
    return bool(_inside(places, hour).any())


def replace(packed: Block, place: int, hour: int, new: Buckets) -> None:
    """Put the buckets of an hour in place of those that are there."""
    start = hour // DAY * DAY * HOUR
    added: list[Column] = [np.rint((new.ends - start) / ROLLUP), new.counts, new.lows, new.highs, new.totals]
    if place in packed:
        axis, columns = packed.get(place)
        left = ~_inside(axis[0], hour)
        order = np.argsort(np.concatenate([axis[0][left], added[0]]), kind="stable")
        added = [
            np.concatenate([old[left], column])[order] for old, column in zip((*axis, *columns), added, strict=True)
        ]
    packed.put(place, added[:2], added[2:])


def _inside(places: Column, hour: int) -> Column:
    """Which of the buckets of a day, counted from 1 by their ends, are of an hour."""
    each = HOUR / ROLLUP
    return (places > hour % DAY * each) & (places <= (hour % DAY + 1) * each)


def _unpacked(row: Any, wanted: set[int]) -> Iterator[Buckets]:
    packed = Block(row.buckets)
    for place in packed.places():
        number = row.block * SIZE + place
        if number in wanted:
            [places, counts], [lows, highs, totals] = packed.get(place)
            ends = row.day * DAY * HOUR + places * ROLLUP
            yield Buckets(np.full(len(ends), number), ends, lows, highs, totals, counts.astype(np.int64))
