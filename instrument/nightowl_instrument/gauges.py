"""How a worker is: its tasks in flight and its memory, with that of the processes of its pool."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from celery.worker import state as worker_state

from nightowl_instrument.statsd import GAUGE, Entry, Series


class WorkerGauges:
    """Entries of a worker, told by its main process. ``consumer`` is Celery's."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self._labels = (("hostname", str(consumer.hostname)),)

    def __call__(self) -> Iterator[Entry]:
        """Tell how the worker is now."""
        active = len(worker_state.active_requests)
        yield self._entry("worker_tasks_active", active)
        yield self._entry("worker_tasks_reserved", max(0, len(worker_state.reserved_requests) - active))
        memory = [found for pid in {os.getpid(), *self._processes()} if (found := resident(pid))]
        if memory:
            yield self._entry("worker_memory_bytes", sum(memory))
            yield self._entry("worker_memory_largest_bytes", max(memory))

    def ended(self) -> Iterator[Entry]:
        """Tell that it ends: a gauge stays at its last value."""
        yield self._entry("worker_tasks_active", 0)
        yield self._entry("worker_tasks_reserved", 0)

    def _entry(self, family: str, value: float) -> Entry:
        return Entry(Series(family, self._labels), GAUGE, value)

    def _processes(self) -> list[int]:
        """Process ids of a prefork pool."""
        pool = getattr(getattr(self._consumer, "pool", None), "_pool", None)
        return [each.pid for each in list(getattr(pool, "_pool", None) or ()) if getattr(each, "pid", None)]


def resident(pid: int) -> int:
    """Bytes of memory that a process has (0: unknown, as where there is no ``/proc``)."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
