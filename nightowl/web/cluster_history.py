"""What a cluster did in a span, as its overview tells it: charts, totals, what failed most and what took longest."""

from __future__ import annotations

import threading
from collections.abc import Callable
from heapq import nlargest
from math import ceil

import msgspec
from msgspec.structs import replace

from nightowl.core.cluster.task import TaskFilter, TaskState
from nightowl.ports import Clock, SeriesStore
from nightowl.ports.clusters import TaskStore
from nightowl.web.cluster_charts import SPANS, STEP, Chart, OfTask, charts_of

ROWS = 8
"""Tasks of each short list."""

NEWEST = 200
"""Runs of a task, the newest, of which percentiles are told."""

SHARE = 10.0
"""Times as long as it took to gather it, what was gathered is shown at least."""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What a cluster did: ``failing`` and ``slow`` are the tasks that do most so, ``ran`` and ``failed`` counts."""

    charts: tuple[Chart, ...]
    failing: tuple[OfTask, ...]
    slow: tuple[OfTask, ...]
    ran: int
    failed: int


def history(series: SeriesStore, tasks: TaskStore, cluster: str, span: str, now: float) -> History:
    """Gather what a cluster did in a span up to ``now``."""
    drawn = charts_of(series, cluster, span, now)
    found = drawn.by_task()
    failing = nlargest(ROWS, (each for each in found if each.failed), key=lambda each: each.failed)
    slow = nlargest(ROWS, (each for each in found if each.mean), key=lambda each: each.mean or 0.0)
    since = now - SPANS[span]
    return History(
        charts=(drawn.rates(), drawn.runtimes(), drawn.waits(), drawn.depths()),
        failing=tuple(failing),
        slow=tuple(_timed(tasks, cluster, since, each) for each in slow),
        ran=sum(each.ran for each in found),
        failed=sum(each.failed for each in found),
    )


def _timed(tasks: TaskStore, cluster: str, since: float, each: OfTask) -> OfTask:
    """Tell the percentiles of the newest runs of a task that succeeded since then."""
    wanted = TaskFilter(names=(each.name,), states=(TaskState.SUCCESS.value,), start=since)
    page = tasks.page(cluster, wanted, after=None, limit=NEWEST)
    took = sorted(task.runtime for task in page.tasks if task.runtime is not None)
    if not took:
        return each
    p50, p95 = (took[ceil(share * len(took)) - 1] for share in (0.5, 0.95))
    return replace(each, p50=p50, p95=p95)


class _Held(msgspec.Struct):
    """What was gathered, and until when it is shown (monotonic seconds); one gathers it at a time."""

    lock: threading.Lock
    until: float = float("-inf")
    value: History | None = None


class Histories:
    """Remembers what was gathered, as samples come every ten seconds and an open page asks each second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[tuple[str, str], _Held] = {}

    def get(self, cluster: str, span: str, clock: Clock, gather: Callable[[], History]) -> History:
        """Return what was gathered a moment ago, or gather it."""
        with self._lock:
            held = self._held.setdefault((cluster, span), _Held(threading.Lock()))
        with held.lock:
            began = clock.monotonic()
            if held.value is None or not began < held.until:
                held.value = gather()
                ended = clock.monotonic()
                held.until = ended + max(STEP, SHARE * (ended - began))
            return held.value
