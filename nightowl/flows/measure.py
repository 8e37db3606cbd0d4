"""Measure: what is counted of a cluster becomes series, a step every ten seconds."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import ceil

from nightowl.core.cluster.figures import Figures
from nightowl.core.cluster.sampling import Sampling
from nightowl.core.cluster.state import ClusterState
from nightowl.core.rule import STEP
from nightowl.core.values import Sample
from nightowl.ports import Store

MOST_STEPS = 60
"""Steps that wait at most while the store does not answer; beyond that the oldest are dropped."""


class Measure:
    """Appends the series of one cluster, from one thread."""

    def __init__(self, store: Store, cluster: str) -> None:
        self._store = store
        self._role = f"watcher/{cluster}"
        self._sampling = Sampling()
        self._waiting: deque[tuple[float, Sequence[Sample]]] = deque(maxlen=MOST_STEPS)
        self._last = 0.0

    def step(self, figures: Figures, state: ClusterState, now: float) -> None:
        """Store a step where it is time for one. Raises ``StoreUnavailable``; it is then stored later."""
        end = ceil(now / STEP) * STEP
        if end != self._last:
            self._last = end
            self._waiting.append((end, self._sampling.step(figures, state, now)))
        while self._waiting:
            at, samples = self._waiting[0]
            with self._store.transaction() as unit:
                unit.series.append(self._role, at, samples)
            self._waiting.popleft()
