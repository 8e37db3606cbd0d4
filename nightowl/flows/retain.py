"""Retain: forget what is older than its retention, in bounded batches between the leader's ticks."""

from __future__ import annotations

from collections.abc import Mapping

from nightowl.ports import Lease, Store

BATCH = 2000
"""Rows deleted in one transaction at most."""

CATCH_BREATH = 600.0
"""Seconds to wait once nothing is left to delete."""

SHRINK = 0.9
"""By how much all retentions are shortened while the store takes more than it may."""


class Retainer:
    """Deletes one batch of one kind a step, kind after kind, and rests when all are done."""

    def __init__(self, store: Store, lease: Lease) -> None:
        self._store = store
        self._lease = lease
        self._left: list[str] = []
        self._rest_until = 0.0
        self._share = 1.0

    def step(self, retention: Mapping[str, float], max_size: int | None, now: float) -> None:
        """Delete up to ``BATCH`` rows. ``retention``: seconds by kind; ``max_size``: bytes that the store may take."""
        if not self._left:
            if now < self._rest_until or not retention:
                return
            self._begin(retention, max_size)
        kind = self._left[-1]
        before = now - retention.get(kind, float("inf")) * self._share
        with self._store.transaction(self._lease) as unit:
            gone = unit.retention.prune(kind, before, BATCH)
        if gone < BATCH:
            self._left.pop()
        if not self._left:
            self._rest_until = now + (CATCH_BREATH if self._share == 1.0 else 0.0)

    def _begin(self, retention: Mapping[str, float], max_size: int | None) -> None:
        self._left = list(retention)
        if max_size is None:
            self._share = 1.0
            return
        with self._store.read() as unit:
            too_large = unit.retention.size() > max_size
        self._share = self._share * SHRINK if too_large else min(1.0, self._share / SHRINK)
