"""How a worker is: its tasks in flight and its memory, with that of the processes of its pool."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from celery.worker import state as worker_state

from nightowl_instrument.statsd import GAUGE, Item, Series

FAMILIES = ("worker_tasks_active", "worker_tasks_reserved", "worker_memory_bytes", "worker_memory_largest_bytes")
"""Tasks that run, tasks that wait in the worker; memory of all its processes, and of the largest."""


class WorkerGauges:
    """What a worker's main process tells of it. ``consumer`` is Celery's."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        labels = (("hostname", str(consumer.hostname)),)
        self._series = [Series(family, labels, GAUGE) for family in FAMILIES]

    def __call__(self) -> Iterator[Item]:
        """Tell how the worker is now."""
        active = len(worker_state.active_requests)
        memory = [found for pid in {os.getpid(), *self._processes()} if (found := resident(pid))]
        reserved = max(0, len(worker_state.reserved_requests) - active)
        values = (active, reserved, *((sum(memory), max(memory)) if memory else ()))
        yield from zip(self._series, map(float, values))

    def ended(self) -> Iterator[Item]:
        """Tell that it ends: a gauge stays at its last value."""
        yield from ((series, 0.0) for series in self._series[:2])

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
