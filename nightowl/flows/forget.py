"""Forget: tasks of clusters go when they are old, or when there are too many."""

from __future__ import annotations

from nightowl.flows.rhythm import Rhythm
from nightowl.ports import Clock
from nightowl.ports.clusters import TaskStore

EVERY = 10.0
"""Seconds between two times."""

PORTION = 2000
"""Tasks forgotten in one transaction, so that none holds up the watcher for long."""

LONGEST = 2.0
"""Seconds spent at one time at most."""


class Forgetting:
    """Keeps the store of tasks to its bounds, from one thread."""

    def __init__(self, tasks: TaskStore, clock: Clock) -> None:
        self._tasks = tasks
        self._clock = clock
        self._rhythm = Rhythm(clock)

    def step(self, kept: float, most: int | None) -> None:
        """Forget tasks older than ``kept`` seconds, and beyond the newest ``most``, where it is time for that.

        Raises ``StoreUnavailable``.
        """
        if not self._rhythm.due("forget", EVERY):
            return
        began = self._clock.monotonic()
        while self._clock.monotonic() - began < LONGEST:
            if self._tasks.prune(self._clock.now() - kept, most, PORTION) < PORTION:
                return
