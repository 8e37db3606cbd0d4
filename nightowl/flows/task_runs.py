"""What a watcher hands to the checks that follow tasks of its cluster: calls, stored for the leading director."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from nightowl.core.cluster.run_pings import RunPings
from nightowl.core.cluster.task import Task
from nightowl.core.errors import ConfigurationError
from nightowl.core.values import Check, Heartbeat, Ping
from nightowl.ports import Store, StoredCheck, Unit

MOST_WAITING = 10_000
"""Calls that wait for a store which does not answer; of more, the oldest are left out."""

LOOK = 1.0
"""Seconds between two looks for changed checks."""


class TaskRuns:
    """The checks that follow one cluster, and the calls that they are owed; for one thread.

    ``compile_check`` makes a check of its definition (it raises ``ConfigurationError``). For each batch of events the
    watcher calls ``look``, ``take`` and ``flush``, in this order and before it stores how the cluster stands: what it
    says to have heard then is stored already.
    """

    def __init__(self, store: Store, cluster: str, compile_check: Callable[[StoredCheck], Check]) -> None:
        self._store = store
        self._cluster = cluster
        self._compile = compile_check
        self._pings = RunPings()
        self._waiting: deque[Ping] = deque(maxlen=MOST_WAITING)
        self._feed: int | None = None
        self._next = 0.0

    @property
    def left_out(self) -> int:
        """Calls that were not made, as one task ran too often for a check."""
        return self._pings.left_out

    def look(self, now: float) -> None:
        """Follow the checks as they are defined, once a second. Raises ``StoreUnavailable``."""
        if now < self._next <= now + LOOK:
            return
        with self._store.read() as unit:
            items = [] if self._feed is None else unit.feed.after(self._feed, 1000)
            if self._feed is None or any(item.kind == "check" for item in items):
                self._pings.follow(self._followed(unit))
            if self._feed is None:
                self._feed = unit.feed.last()
        self._feed = items[-1].id if items else self._feed
        self._next = now + LOOK

    def take(self, tasks: Iterable[Task], now: float) -> None:
        """Take in tasks that have changed; ``now`` is Unix seconds by the watcher's clock."""
        self._waiting.extend(self._pings.take(tasks, now))

    def flush(self) -> None:
        """Store the calls that wait. Raises ``StoreUnavailable``; they then wait on, and none is stored twice."""
        if not self._waiting:
            return
        with self._store.transaction() as unit:
            unit.heartbeats.add(*self._waiting)
        self._waiting.clear()

    def _followed(self, unit: Unit) -> dict[str, Heartbeat]:
        """The plans of all checks that follow this cluster; one that cannot run follows nothing."""
        plans = {}
        for stored in unit.checks.all():
            if stored.spec.get("kind") != "task":
                continue
            try:
                plan = self._compile(stored).heartbeat
            except ConfigurationError:
                continue
            if plan is not None and plan.cluster == self._cluster:
                plans[stored.name] = plan
        return plans
