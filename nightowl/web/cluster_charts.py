"""The charts of a cluster: rates, run times, waits, depths, from the stored series."""

from __future__ import annotations

from collections.abc import Mapping
from heapq import nlargest

import msgspec
import numpy as np

from nightowl.core.cluster import charts
from nightowl.core.cluster.charts import Grid, Line
from nightowl.core.frame import Floats
from nightowl.ports import SeriesStore

SPANS = {"1h": 3600.0, "6h": 21600.0, "24h": 86400.0, "7d": 604800.0}
"""The spans of charts, in seconds."""

STEPS = 120
"""Moments of a chart at most."""

SHORTEST = 300.0
"""Seconds that a chart spans at least."""

STEP = 10.0
"""Seconds between two samples of a watcher."""

LAG = 3.0
"""Seconds that a sample may be under way."""

LINES = 6
"""Lines of one chart at most."""


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of a few lines. ``unit``: seconds (``s``), tasks or messages a second (``/s``) or a number (empty)."""

    title: str
    unit: str
    lines: tuple[Line, ...]


def _grid(span: str, now: float) -> Grid:
    """The moments of a span up to ``now``."""
    seconds = SPANS[span]
    every = max(STEP, np.ceil(seconds / STEPS / STEP) * STEP)
    return Grid(now - seconds, now, float(every))


UNNAMED = "None"
"""What tasks are counted under whose names no event told."""


class OfTask(msgspec.Struct, frozen=True, kw_only=True):
    """What tasks of one name did in a span: how many ran and failed, and seconds that they ran (None: not known).

    ``mean`` is of all that succeeded, the percentiles of the newest of them.
    """

    name: str
    ran: int
    failed: int
    mean: float | None = None
    p50: float | None = None
    p95: float | None = None


def _begun(series: SeriesStore, cluster: str, at: Grid) -> Grid:
    """Return the same moments without those before the first sample of a cluster that is not watched for as long."""
    found = series.range("celery_worker_up", {"cluster": cluster}, at.start, at.end, at.every)
    first = min((float(each.ends[0]) for each in found.values()), default=at.end)
    start = max(at.start, min(first - at.every, at.end - SHORTEST))
    every = max(STEP, float(np.ceil((at.end - start) / STEPS / STEP) * STEP))
    return Grid(start, at.end, every)


def charts_of(series: SeriesStore, cluster: str, span: str, now: float) -> Charts:
    """Return the charts of a cluster over a span up to ``now``."""
    whole = _grid(span, now)
    return Charts(series, cluster, _begun(series, cluster, whole), whole)


class Charts:
    """Draws from the series of one cluster at the moments of a grid, and counts over the ``whole`` span."""

    def __init__(self, series: SeriesStore, cluster: str, at: Grid, whole: Grid) -> None:
        self._series = series
        self._where = {"cluster": cluster}
        self._grid = at
        self._whole = whole

    def rates(self) -> Chart:
        """Tasks received, succeeded, failed and retried a second, up to the last step of which all is known."""
        words = ("received", "succeeded", "failed", "retried")
        rows = {word: charts.rate(self._found(f"celery_task_{word}_total"), self._grid) for word in words}
        # the last sample of a step is taken a sample's distance before its end
        is_whole = self._grid.ends <= self._grid.end + STEP - LAG
        rows = {word: np.where(is_whole, row, np.nan) for word, row in rows.items()}
        return self._chart("Tasks a second", "/s", rows)

    def runtimes(self) -> Chart:
        """How long tasks ran."""
        return self._quantiles("Run time", "celery_task_runtime")

    def waits(self) -> Chart:
        """How long tasks waited to be started."""
        return self._quantiles("Wait in the queue", "celery_task_queue_wait_time")

    def depths(self) -> Chart:
        """Messages that wait, by queue."""
        found = charts.by_label(self._found("celery_queue_length"), "queue_name")
        rows = {name: charts.level(each, self._grid) for name, each in found.items()}
        fullest = nlargest(LINES, rows, key=lambda name: float(np.nan_to_num(rows[name]).max()))
        return self._chart("Messages waiting", "", {name: rows[name] for name in sorted(fullest)})

    def depth_of(self, queue: str) -> Chart:
        """Messages of one queue: waiting, and with workers."""
        rows = {
            word: charts.level(charts.by_label(self._found(metric), "queue_name").get(queue, {}), self._grid)
            for word, metric in (("waiting", "celery_queue_length"), ("with workers", "celery_queue_unacked"))
        }
        return self._chart("Messages", "", rows)

    def age_of(self, queue: str) -> Chart:
        """How old the oldest message of one queue is."""
        found = charts.by_label(self._found("celery_queue_oldest_age_seconds"), "queue_name")
        return self._chart("Age of the oldest", "s", {"oldest": charts.level(found.get(queue, {}), self._grid)})

    def of_worker(self, worker: str) -> tuple[Chart, Chart]:
        """What one worker runs, and the memory that it takes (MiB)."""
        running, memory = (
            charts.level(charts.by_label(self._found(f"celery_worker_{metric}"), "worker").get(worker, {}), self._grid)
            for metric in ("tasks_active", "memory_bytes")
        )
        mib = self._chart("Memory, MiB", "", {"main process": memory / 2**20})
        return self._chart("Tasks running", "", {"running": running}), mib

    def by_task(self) -> list[OfTask]:
        """What tasks did in the whole span, by name."""
        succeeded, failed, counts, sums = (
            self._risen(f"celery_task_{metric}")
            for metric in ("succeeded_total", "failed_total", "runtime_count", "runtime_sum")
        )
        found = []
        for name in sorted({*succeeded, *failed} - {UNNAMED}):
            broke, timed = round(failed.get(name, 0.0)), counts.get(name)
            ran = round(succeeded.get(name, 0.0)) + broke
            if ran:
                mean = sums.get(name, 0.0) / timed if timed else None
                found.append(OfTask(name=name, ran=ran, failed=broke, mean=mean))
        return found

    def _risen(self, metric: str) -> dict[str, float]:
        """By how much a counter rose in the whole span, by name."""
        found = charts.by_label(self._found(metric, self._whole), "name")
        return {name: charts.risen(each, self._whole) for name, each in found.items()}

    def _quantiles(self, title: str, metric: str) -> Chart:
        counts, sums = self._found(f"{metric}_narrow_count"), self._found(f"{metric}_narrow_sum")
        rows = {f"p{share:g}": charts.quantile(counts, sums, share / 100, self._grid) for share in (50, 95, 99)}
        return self._chart(title, "s", rows)

    def _chart(self, title: str, unit: str, rows: Mapping[str, Floats]) -> Chart:
        lines = (charts.line(name, self._grid, row) for name, row in rows.items() if not np.isnan(row).all())
        return Chart(title=title, unit=unit, lines=tuple(lines))

    def _found(self, metric: str, at: Grid | None = None) -> charts.Found:
        grid = at or self._grid
        return self._series.range(metric, self._where, grid.start, grid.end, grid.every)
