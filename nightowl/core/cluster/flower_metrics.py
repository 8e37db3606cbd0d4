"""The six families of metrics that Flower serves, by its names and labels, in Prometheus' text format 0.0.4.

Flower counts by worker and task, over all queues. An event that came twice counts once, and a worker that died without
a word is not online for ever.
"""

from __future__ import annotations

from nightowl.core.cluster.exposition import Families, escaped, head, histogram_lines
from nightowl.core.cluster.figures import KINDS, Cell, Figures, add, empty_cell
from nightowl.core.cluster.state import ClusterState

_EVENTS = "flower_events_total"
_CREATED = "flower_events_created"
_RUNTIME = "flower_task_runtime_seconds"
_PREFETCH = "flower_task_prefetch_time_seconds"
_PREFETCHED = "flower_worker_prefetched_tasks"
_ONLINE = "flower_worker_online"
_EXECUTING = "flower_worker_number_of_currently_executing_tasks"
_HEADS = {
    _EVENTS: head(_EVENTS, "counter", "Number of events"),
    _CREATED: head(_CREATED, "gauge", "Number of events"),
    _RUNTIME: head(_RUNTIME, "histogram", "Task runtime"),
    _PREFETCH: head(_PREFETCH, "gauge", "The time the task spent waiting at the celery worker to be executed."),
    _PREFETCHED: head(_PREFETCHED, "gauge", "Number of tasks of given type prefetched at a worker"),
    _ONLINE: head(_ONLINE, "gauge", "Worker online status"),
    _EXECUTING: head(_EXECUTING, "gauge", "Number of tasks currently executing at a worker"),
}


def flower_metrics(figures: Figures, state: ClusterState) -> str:
    """Return the page of one cluster."""
    families: Families = {name: [] for name in _HEADS}
    for (task, host), (count, created) in _sent(figures).items():
        _count(families, f'task="{escaped(task)}",type="task-sent",worker="{escaped(host)}"', count, created)
    for cell in _by_worker_and_task(figures).values():
        _cell(families, cell, figures)
    for worker in state.workers:
        labels = f'worker="{escaped(worker.name)}"'
        families[_ONLINE].append(f"{_ONLINE}{{{labels}}} {int(worker.up)}\n")
        families[_EXECUTING].append(f"{_EXECUTING}{{{labels}}} {worker.active if worker.up else 0}\n")
    return "".join(_HEADS[name] + "".join(lines) for name, lines in families.items() if lines)


def _sent(figures: Figures) -> dict[tuple[str, str], tuple[int, float]]:
    """How many of each task each host has sent, and since when that is counted."""
    sums: dict[tuple[str, str], tuple[int, float]] = {}
    for each in (each for each in list(figures.sent.values()) if each.host):
        count, created = sums.get((each.name, each.host), (0, each.created))
        sums[each.name, each.host] = (count + each.count, min(created, each.created))
    return sums


def _by_worker_and_task(figures: Figures) -> dict[tuple[str, str], Cell]:
    sums: dict[tuple[str, str], Cell] = {}
    for cell in list(figures.cells.values()):
        key = (cell.worker, cell.name)
        if key not in sums:
            sums[key] = empty_cell(cell.name, cell.worker, "", cell.created)
        add(sums[key], cell)
    return sums


def _cell(families: Families, cell: Cell, figures: Figures) -> None:
    task, worker = escaped(cell.name), escaped(cell.worker)
    failed = sum(each.count for each in cell.failed.values())
    for kind, count in (*zip(KINDS, cell.counts, strict=True), ("failed", failed)):
        if count:
            _count(families, f'task="{task}",type="task-{kind}",worker="{worker}"', count, cell.created)
    labels = f'task="{task}",worker="{worker}"'
    if cell.runtime.tallies:
        families[_RUNTIME] += histogram_lines(_RUNTIME, labels, cell.runtime, figures.runtime_buckets)
    families[_PREFETCH].append(f"{_PREFETCH}{{{labels}}} {cell.prefetch_time}\n")
    families[_PREFETCHED].append(f"{_PREFETCHED}{{{labels}}} {cell.prefetched}\n")


def _count(families: Families, labels: str, count: int, created: float) -> None:
    families[_EVENTS].append(f"{_EVENTS}{{{labels}}} {count}\n")
    families[_CREATED].append(f"{_CREATED}{{{labels}}} {created}\n")
