"""Compacting: samples of an hour that has ended go from steps into packed hours and rollups.

One block and hour at a time, oldest first. All of the block's samples up to the end of that hour go together, in the
order in which they were written, so that the last written still wins: a sample that comes later is merged by a later
turn. One that comes after its hour's samples were forgotten, of which only rollups are left, is dropped.
"""

from __future__ import annotations

from math import floor

import numpy as np
from sqlalchemy import ColumnElement, and_, func, select, update

from nightowl.adapters.store_sql.schema import SERIES, STEPS
from nightowl.adapters.store_sql.series import rollups
from nightowl.adapters.store_sql.series.blocks import DAY, HOUR, ROLLUP, SIZE, hours
from nightowl.adapters.store_sql.series.columns import Block
from nightowl.adapters.store_sql.series.hours import Hours
from nightowl.adapters.store_sql.series.rollups import Rollups
from nightowl.adapters.store_sql.series.steps import Steps
from nightowl.adapters.store_sql.session import Session
from nightowl.core.buckets import by_series, of_samples
from nightowl.core.frame import Frame, joined, runs, settled

LATE = 300.0
"""Seconds that the samples of an hour may be late for being compacted with it."""


class Compaction:
    """Compacts, in one transaction of the leader."""

    def __init__(self, session: Session, steps: Steps, packed: Hours, rolled: Rollups) -> None:
        self._connection = session.connection
        self._steps = steps
        self._hours = packed
        self._rollups = rolled

    def run(self, now: float, limit: int) -> int:
        """Compact up to ``limit`` blocks and hours; how many there were."""
        self._steps.flush()
        for done in range(limit):
            block = self._due(now)
            if block is None:
                return done
            self._compact(block)
        return limit

    def _due(self, now: float) -> int | None:
        """A block with a step whose hour has ended, and in it samples of such an hour."""
        ended = floor((now - LATE) / HOUR) * HOUR
        written = STEPS.c.step <= ended + LATE
        astray = STEPS.c.step > now + HOUR  # by a clock that was ahead
        block = self._first(written, ended)
        return self._first(astray, ended) if block is None else block

    def _first(self, which: ColumnElement[bool], ended: float) -> int | None:
        query = select(STEPS.c.block).where(which, STEPS.c.oldest <= ended).order_by(STEPS.c.step).limit(1)
        return self._connection.execute(query).scalar_one_or_none()

    def _compact(self, block: int) -> None:
        oldest = self._connection.execute(select(func.min(STEPS.c.oldest)).where(STEPS.c.block == block)).scalar_one()
        hour = int(hours(np.array([oldest]))[0])
        end = (hour + 1) * HOUR
        rows = self._steps.up_to(block, end)
        moved = joined([frame.only(frame.times <= end) for _, frame in rows])
        self._pack(block, hour, moved)
        self._steps.take_out(block, rows, end)

    def _pack(self, block: int, hour: int, moved: Frame) -> None:
        samples, buckets = self._hours.get(block, hour), self._rollups.get(block, hour // DAY)
        numbers = np.unique(moved.numbers).tolist()
        there = [number for number in numbers if number - block * SIZE in samples]
        late = {number for number in numbers if rollups.has(buckets, number - block * SIZE, hour)} - set(there)
        timely = moved.only(~np.isin(moved.numbers, list(late)))
        if not len(timely):
            return
        whole = settled(joined([*(_unpacked(samples, block, number) for number in there), timely]))
        for number, where in runs(whole.numbers):
            samples.put(number - block * SIZE, [whole.times[where]], [whole.values[where]])
        for number, rolled in by_series(of_samples(whole, ROLLUP)):
            rollups.replace(buckets, number - block * SIZE, hour, rolled)
        self._hours.put(block, hour, samples)
        self._rollups.put(block, hour // DAY, buckets)
        self._see(np.unique(whole.numbers).tolist(), hour // DAY)

    def _see(self, numbers: list[int], day: int) -> None:
        newer = and_(SERIES.c.id.in_(numbers), SERIES.c.seen < day)
        self._connection.execute(update(SERIES).where(newer).values(seen=day))


def _unpacked(samples: Block, block: int, number: int) -> Frame:
    [times], [values] = samples.get(number - block * SIZE)
    return Frame(np.full(len(times), number), times, values)
