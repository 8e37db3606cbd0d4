"""Forgetting series of which no sample is left, so that there is room for others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, delete, func, select, update

from nightowl.adapters.store_sql.schema import HOURS, MARKS, ROLLUPS, SERIES, STEPS
from nightowl.adapters.store_sql.series.blocks import DAY, FAR, SIZE
from nightowl.adapters.store_sql.series.steps import Steps
from nightowl.adapters.store_sql.session import Session

_CHUNK = 500

_READ = 8
"""Blocks with steps of other series that are looked through in one turn."""

_FORGET = update(MARKS).where(MARKS.c.name == "series_forgotten").values(value=MARKS.c.value + bindparam("by"))
_FEWER = update(MARKS).where(MARKS.c.name == "series_known").values(value=MARKS.c.value - bindparam("by"))


class Forgetting:
    """Forgets series, in one transaction of the leader."""

    def __init__(self, session: Session) -> None:
        self._connection = session.connection
        self._steps = Steps(session)

    def run(self, before: int, limit: int) -> int:
        """Forget up to ``limit`` series of which the newest sample was compacted on a UTC day before this; how many."""
        if not self._empty(before, limit):
            return 0
        self._connection.execute(_FORGET, {"by": 1})  # from here on nobody can append until we are done
        gone = self._empty(before, limit)
        for first in range(0, len(gone), _CHUNK):
            self._connection.execute(delete(SERIES).where(SERIES.c.id.in_(gone[first : first + _CHUNK])))
        self._connection.execute(_FEWER, {"by": len(gone)})
        return len(gone)

    def _empty(self, before: int, limit: int) -> list[int]:
        return self._without_steps([*self._unpacked(limit), *self._outlived(before, limit)][:limit])

    def _unpacked(self, limit: int) -> list[int]:
        """Series that were never compacted, though all steps of their first hour were."""
        oldest = self._connection.execute(select(func.min(STEPS.c.position))).scalar_one()
        query = select(SERIES.c.id).where(SERIES.c.seen == -1).order_by(SERIES.c.born, SERIES.c.id).limit(limit)
        if oldest is not None:
            query = query.where(SERIES.c.born < oldest)
        return list(self._connection.execute(query).scalars())

    def _outlived(self, before: int, limit: int) -> list[int]:
        """Series whose newest day is forgotten."""
        query = select(SERIES.c.id, SERIES.c.seen).where(SERIES.c.seen >= 0, SERIES.c.seen < before)
        rows = self._connection.execute(query.order_by(SERIES.c.seen, SERIES.c.born, SERIES.c.id).limit(limit)).all()
        kept = self._kept({(row.id // SIZE, row.seen) for row in rows})
        return [row.id for row in rows if (row.id // SIZE, row.seen) not in kept]

    def _kept(self, days: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
        """Of these blocks and days, those of which samples or rollups are left."""
        kept = set()
        for block, day in days:
            hour = HOURS.c.hour.between(day * DAY, day * DAY + DAY - 1)
            packed = select(HOURS.c.block).where(HOURS.c.block == block, hour).limit(1)
            rolled = select(ROLLUPS.c.block).where(ROLLUPS.c.block == block, ROLLUPS.c.day == day)
            if any(self._connection.execute(query).first() is not None for query in (packed, rolled)):
                kept.add((block, day))
        return kept

    def _without_steps(self, numbers: Sequence[int]) -> list[int]:
        """Of these, the series that no step holds samples of, as far as can be seen at once."""
        by_block: defaultdict[int, list[int]] = defaultdict(list)
        for number in numbers:
            by_block[number // SIZE].append(number)
        busy = self._busy(list(by_block))
        read = busy[:_READ]
        used = set(self._steps.between(read, 0.0, FAR).numbers.tolist()) if read else set()
        unread = set(busy[_READ:])
        return [each for block, here in by_block.items() if block not in unread for each in here if each not in used]

    def _busy(self, blocks: Sequence[int]) -> list[int]:
        found: list[int] = []
        for first in range(0, len(blocks), _CHUNK):
            query = select(STEPS.c.block).where(STEPS.c.block.in_(blocks[first : first + _CHUNK])).distinct()
            found.extend(self._connection.execute(query).scalars())
        return sorted(found)
