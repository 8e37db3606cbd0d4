"""Compact: pack the samples of hours that have ended, a block of series at a time, between the leader's ticks."""

from __future__ import annotations

from nightowl.ports import Lease, Store

BLOCKS = 1
"""Blocks packed in one turn at most: one takes the store about 20 ms."""

CATCH_BREATH = 60.0
"""Seconds to wait once nothing is left to pack."""


class Compactor:
    """Packs one block a step, and rests when all are done; also tells the store how many series there may be."""

    def __init__(self, store: Store, lease: Lease) -> None:
        self._store = store
        self._lease = lease
        self._rested = 0.0
        self._most: int | None = None

    def step(self, max_series: int, now: float) -> None:
        """Pack up to ``BLOCKS``. ``max_series``: series that the store may know."""
        if max_series != self._most:
            with self._store.transaction(self._lease) as unit:
                unit.series.limit(max_series)
            self._most = max_series
        if 0 <= now - self._rested < CATCH_BREATH:
            return
        with self._store.transaction(self._lease) as unit:
            done = unit.series.compact(now, BLOCKS)
        if not done:
            self._rested = now
