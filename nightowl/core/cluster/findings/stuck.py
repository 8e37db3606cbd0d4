"""Tasks that are stuck: they run ten times longer than 99 % of runs take, and longer than a minute.

Where fewer than 20 runs are known, an hour is too long. A task whose worker is away is lost, not stuck. One whose
worker says that it runs nothing has ended, and that was not heard; where events were lost since it started, the worker
must say that it runs as many tasks as are thought to run there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nightowl.core.cluster.finding import shortened
from nightowl.core.cluster.findings.scene import RUNS, Scene, Sign, by_name, limit, running_since
from nightowl.core.cluster.findings.usual import Usual
from nightowl.core.cluster.state import Worker
from nightowl.core.cluster.task import Task
from nightowl.core.messages import in_words

TOLERANCE = 2.0
"""Seconds by which a start may seem to be before that of its worker, by clocks that differ."""


def look(scene: Scene) -> Iterator[Sign]:
    """Yield the names of tasks that are stuck."""
    runs = [task for task in scene.open.overdue if _may_run(scene, task)]
    for name, tasks in by_name(runs).items():
        if not scene.skips(name):
            yield _sign(scene, name, tasks)


def _may_run(scene: Scene, task: Task) -> bool:
    """Whether a task's worker is there, runs something, and has not begun anew since: then it is lost, not stuck."""
    worker = scene.workers.get(task.worker)
    if worker is None or not worker.up or worker.since > running_since(task) + TOLERANCE:
        return False
    return not (_tells(worker) and worker.active == 0)


def _is_sure(scene: Scene, task: Task) -> bool:
    if running_since(task) > scene.memory.deaf:
        return True
    worker = scene.workers[task.worker]
    return _tells(worker) and worker.active >= scene.open.started[task.worker]


def _tells(worker: Worker) -> bool:
    """Whether a worker's heartbeats say what it runs; one without heartbeats says nothing but 0."""
    return bool(worker.active or worker.processed)


def _sign(scene: Scene, name: str, tasks: Sequence[Task]) -> Sign:
    oldest = min(tasks, key=running_since)
    took = in_words(scene.now - running_since(oldest))
    many = f"{len(tasks):,} tasks {name} are stuck, the oldest" if len(tasks) > 1 else f"task {name} is stuck: it"
    return Sign(
        rest=shortened(name),
        sentence=f"{many} has been running on {oldest.worker} for {took}; {_usually(scene.memory.usual.get(name))}",
        fires=any(_is_sure(scene, task) for task in tasks),
        since=running_since(oldest) + limit(scene.memory, name, scene.after),
        count=len(tasks),
        tally=f"{len(tasks):,} stuck, the oldest for {took}",
        last=scene.now,
        task=name,
        worker=oldest.worker,
        queue=oldest.queue,
        uuid=oldest.uuid,
        page=f"tasks/{oldest.uuid}",
    )


def _usually(usual: Usual | None) -> str:
    if usual is None or usual.runs < RUNS:
        return "how long it usually runs is not known"
    return f"99 % of its runs take under {_seconds(usual.runtime(0.99))}"


def _seconds(value: float) -> str:
    return f"{value:.2g} s" if value < 1 else in_words(value)
