"""Steps: what roles append, until its hour is compacted.

Rows get their positions at the end of the transaction, from a counter whose row stays locked until the commit. So
positions become visible in their order, and no reader can miss a row that was committed late.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, bindparam, delete, select, update

from nightowl.adapters.store_sql.schema import MARKS, STEPS
from nightowl.adapters.store_sql.series.blocks import SIZE, meant
from nightowl.adapters.store_sql.session import Session
from nightowl.core.frame import EMPTY, Frame, joined, runs

_CHUNK = 500
_COUNT = struct.Struct("<I")
_LAST = select(MARKS.c.value).where(MARKS.c.name == "steps")
_ADVANCE = update(MARKS).where(MARKS.c.name == "steps").values(value=MARKS.c.value + bindparam("by"))
_REPLACED = delete(STEPS).where(STEPS.c.step == bindparam("of_step"), STEPS.c.role == bindparam("of_role"))


class Steps:
    """The rows of steps, in one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = session.connection
        self._pending: dict[tuple[str, float], Frame] = {}

    def put(self, role: str, step: float, frame: Frame) -> None:
        """Write a settled frame at the end of the transaction, in place of what was written for this step."""
        self._pending.pop((role, step), None)  # the last written stands last
        self._pending[role, step] = frame

    def flush(self) -> None:
        """Write what is pending."""
        if not self._pending:
            return
        self._connection.execute(_REPLACED, [{"of_step": step, "of_role": role} for role, step in self._pending])
        rows = [
            (role, step, block, float(frame.times.min()), float(frame.times.max()), pack(block, frame))
            for (role, step), whole in self._pending.items()
            for block, frame in _by_block(whole)
        ]
        self._pending.clear()
        if rows:
            self._connection.execute(_ADVANCE, {"by": len(rows)})
            first = self._connection.execute(_LAST).scalar_one() - len(rows) + 1
            self._session.insert(STEPS, [(position, *row) for position, row in enumerate(rows, start=first)])

    def last(self) -> int:
        """The newest position (0: none)."""
        self.flush()
        return int(self._connection.execute(_LAST).scalar_one())

    def tail(self, after: int, limit: int) -> list[tuple[int, Frame]]:
        """Rows with a greater position, in order."""
        self.flush()
        query = select(STEPS.c.position, STEPS.c.block, STEPS.c.frame).where(STEPS.c.position > after)
        rows = self._connection.execute(query.order_by(STEPS.c.position).limit(limit))
        return [(row.position, unpack(row.block, row.frame)) for row in rows]

    def between(self, blocks: Sequence[int], start: float, end: float) -> Frame:
        """Samples of these blocks in ``(start, end]``, and some besides, as they were written."""
        inside = (STEPS.c.oldest <= meant(end), STEPS.c.newest > meant(start))
        chunks = (blocks[first : first + _CHUNK] for first in range(0, len(blocks), _CHUNK))
        return joined([EMPTY, *(self._frame(STEPS.c.block.in_(chunk), *inside) for chunk in chunks)])

    def since(self, start: float) -> Frame:
        """Samples of all series after ``start``, and some besides, as they were written."""
        return self._frame(STEPS.c.newest > meant(start))

    def up_to(self, block: int, end: float) -> list[tuple[int, Frame]]:
        """The rows of a block that hold samples up to ``end``, by position."""
        query = select(STEPS.c.position, STEPS.c.frame).where(STEPS.c.block == block, STEPS.c.oldest <= end)
        rows = self._connection.execute(query).all()
        return [(row.position, unpack(block, row.frame)) for row in sorted(rows, key=itemgetter(0))]

    def take_out(self, block: int, rows: Sequence[tuple[int, Frame]], end: float) -> None:
        """Leave of these rows only what is after ``end``."""
        left = [(position, frame.only(frame.times > end)) for position, frame in rows]
        rewritten = [(position, frame) for position, frame in left if len(frame)]
        gone = [position for position, frame in left if not len(frame)]
        for first in range(0, len(gone), _CHUNK):
            self._connection.execute(delete(STEPS).where(STEPS.c.position.in_(gone[first : first + _CHUNK])))
        if rewritten:
            statement = update(STEPS).where(STEPS.c.position == bindparam("at"))
            values = [
                {"at": position, "oldest": float(frame.times.min()), "frame": pack(block, frame)}
                for position, frame in rewritten
            ]
            self._connection.execute(statement, values)

    def _frame(self, *wanted: ColumnElement[bool]) -> Frame:
        self.flush()
        query = select(STEPS.c.position, STEPS.c.block, STEPS.c.frame).where(*wanted)
        rows: list[Any] = sorted(self._connection.execute(query).all(), key=itemgetter(0))
        return joined([EMPTY, *(unpack(row.block, row.frame) for row in rows)])


def _by_block(frame: Frame) -> Iterator[tuple[int, Frame]]:
    for block, where in runs(frame.numbers // SIZE):
        yield block, frame.only(where)


def pack(block: int, frame: Frame) -> bytes:
    """Count, places in the block, times (one, where all are the same), values."""
    times = frame.times[:1] if (frame.times == frame.times[0]).all() else frame.times
    places = (frame.numbers - block * SIZE).astype(np.uint8)
    return _COUNT.pack(len(frame)) + places.tobytes() + times.tobytes() + frame.values.tobytes()


def unpack(block: int, blob: bytes) -> Frame:
    """Return what ``pack`` packed."""
    [count] = _COUNT.unpack_from(blob)
    places = np.frombuffer(blob, np.uint8, count, _COUNT.size)
    values = np.frombuffer(blob[-8 * count :], np.float64)
    times = np.frombuffer(blob[_COUNT.size + count : -8 * count], np.float64)
    return Frame(places + np.int64(block * SIZE), times if len(times) == count else np.full(count, times[0]), values)
