"""From what is counted of a cluster to samples of series, summed over workers.

Series are by task and queue, so that workers that come and go make no new ones. A counter that did not change is told
again once a minute, which rules need to see that it stands still. One that is new is told at 0 first, so that its first
count is an increase: at the step before, or, in the first step, when it began if that is a moment ago.

Beside the histograms of ``/metrics`` there are their narrow buckets, ``celery_task_runtime_narrow_count`` and ``_sum``
(and those of ``celery_task_queue_wait_time``), of all tasks together, each with what lies in it alone and only where
something does: out of these, percentiles are right to a fifth whatever tasks take.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nightowl.core.cluster.figures import KINDS, Cell, Figures, add, empty_cell
from nightowl.core.cluster.gauges import of_broker, of_queue, of_worker
from nightowl.core.cluster.histogram import Histogram
from nightowl.core.cluster.state import ClusterState
from nightowl.core.values import Sample

REPEAT = 60.0
"""Seconds after which a counter is told again that did not change."""

Labels = tuple[tuple[str, str], ...]
_Key = tuple[str, Labels]


class Sampling:
    """Makes the samples of one cluster, step by step."""

    def __init__(self) -> None:
        self._told: dict[_Key, tuple[float, float]] = {}
        self._last: float | None = None

    def step(self, figures: Figures, state: ClusterState, now: float) -> list[Sample]:
        """Return what changed since the last step, and all gauges, at ``now`` (Unix seconds)."""
        cluster = ("cluster", state.name)
        found = list(_gauges(state, now))
        told: dict[_Key, tuple[float, float]] = {}
        for metric, labels, value, created in _counters(figures):
            key = (metric, tuple(sorted((cluster, *labels))))
            before = self._told.get(key)
            since = created if self._last is None else max(created, self._last)
            if before is None and value and 0.0 < now - since < REPEAT:
                found.append(Sample(metric, key[1], since, 0.0))
            if before is None or before[0] != value or now - before[1] >= REPEAT:
                before = (value, now)
                found.append(Sample(metric, key[1], now, value))
            told[key] = before
        self._told, self._last = told, now
        return found


def _counters(figures: Figures) -> Iterator[tuple[str, Labels, float, float]]:
    """Yield metric, labels without the cluster, value and since when it is counted (Unix seconds)."""
    cells = _by_task_and_queue(figures).values()
    yield from _narrow("celery_task_runtime", [cell.runtime for cell in cells], cells)
    yield from _narrow("celery_task_queue_wait_time", [cell.wait for cell in cells], cells)
    for cell in cells:
        labels = (("name", cell.name), ("queue_name", cell.queue))
        for kind, count in zip(KINDS, cell.counts, strict=True):
            yield f"celery_task_{kind}_total", labels, float(count), cell.created
        for exception, failed in cell.failed.items():
            whole = (*labels, ("exception", exception))
            yield "celery_task_failed_total", whole, float(failed.count), failed.created
        yield from _histogram("celery_task_runtime", labels, cell.runtime, figures.runtime_buckets, cell.created)
        yield from _histogram("celery_task_queue_wait_time", labels, cell.wait, figures.wait_buckets, cell.created)
    sent: dict[tuple[str, str], tuple[int, float]] = {}
    for each in list(figures.sent.values()):
        count, since = sent.get((each.name, each.queue), (0, each.created))
        sent[each.name, each.queue] = (count + each.count, min(since, each.created))
    for (name, queue), (count, since) in sent.items():
        yield "celery_task_sent_total", (("name", name), ("queue_name", queue)), float(count), since


def _by_task_and_queue(figures: Figures) -> dict[tuple[str, str], Cell]:
    sums: dict[tuple[str, str], Cell] = {}
    for cell in (*figures.cells.values(), *figures.retired.values()):
        key = (cell.name, cell.queue)
        if key not in sums:
            sums[key] = empty_cell(cell.name, "", cell.queue, cell.created)
        add(sums[key], cell)
    return sums


def _histogram(
    name: str, labels: Labels, histogram: Histogram, bounds: tuple[float, ...], created: float
) -> Iterator[tuple[str, Labels, float, float]]:
    if not histogram.tallies:
        return
    counts = histogram.counts(bounds)
    for bound, count in zip((*map(str, bounds), "+Inf"), counts, strict=True):
        yield f"{name}_bucket", (*labels, ("le", bound)), float(count), created
    yield f"{name}_count", labels, float(counts[-1]), created
    yield f"{name}_sum", labels, histogram.sum, created


def _narrow(
    name: str, histograms: Iterable[Histogram], cells: Iterable[Cell]
) -> Iterator[tuple[str, Labels, float, float]]:
    """What lies in each narrow bucket of all tasks together."""
    whole, created = Histogram(), min((cell.created for cell in cells), default=0.0)
    for histogram in histograms:
        whole.add(histogram)
    for bound, tally in whole.tallies.items():
        labels = (("le", f"{bound:.6g}"),)
        yield f"{name}_narrow_count", labels, float(tally.count), created
        yield f"{name}_narrow_sum", labels, tally.sum, created


def _gauges(state: ClusterState, now: float) -> Iterator[Sample]:
    cluster = ("cluster", state.name)
    parts: list[tuple[Labels, Iterable[tuple[str, float | None]]]] = [((cluster,), of_broker(state.broker))]
    for worker in state.workers:
        host = worker.name.rpartition("@")[2]
        parts.append(((cluster, ("hostname", host), ("worker", worker.name)), of_worker(worker)))
    parts += [((cluster, ("queue_name", queue.name)), of_queue(queue)) for queue in state.queues]
    for labels, measured in parts:
        for name, value in measured:
            if value is not None:
                yield Sample(f"celery_{name}", labels, now, float(value))
