"""Tasks that were lost with their worker: it went away while they ran, and nothing was heard of them since.

One that is heard again was not lost: the broker gave it to another worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote

from nightowl.core.cluster.finding import shortened
from nightowl.core.cluster.findings.memory import Lost, Memory, make_room
from nightowl.core.cluster.findings.scene import Scene, Sign
from nightowl.core.cluster.task import Task, TaskState
from nightowl.core.messages import moment

MOST = 500
"""Pairs of a task's name and a worker that are remembered."""

MOST_TASKS = 500
"""Lost tasks that are remembered of each pair; of more, that there are."""


def observe(memory: Memory, tasks: Iterable[Task], now: float) -> None:
    """Take in what has become of tasks; one may come more than once."""
    for task in tasks:
        if task.state == TaskState.LOST:
            _lose(memory, task, now)
        elif memory.lost:
            _find(memory, task)


def look(scene: Scene) -> Iterator[Sign]:
    """Yield what was lost lately: for as long as failures take to resolve."""
    lost = scene.memory.lost
    for key, each in list(lost.items()):
        if scene.now - each.last > scene.settings.failures.resolve or not each.count:
            del lost[key]
        elif not scene.skips(each.task, each.worker):
            yield _sign(key, each)


def _lose(memory: Memory, task: Task, now: float) -> None:
    key = shortened(f"{task.name}/{task.worker}")
    found = memory.lost.get(key)
    if found is None:
        make_room(memory.lost, MOST, lambda each: each.last)
        found = memory.lost[key] = Lost(task.name, task.worker, first=now, last=now)
    if task.uuid in found.uuids:
        return
    found.count += 1
    found.last = now
    found.uuids[task.uuid] = None
    while len(found.uuids) > MOST_TASKS:
        del found.uuids[next(iter(found.uuids))]


def _find(memory: Memory, task: Task) -> None:
    for each in memory.lost.values():
        if task.uuid in each.uuids:
            del each.uuids[task.uuid]
            each.count -= 1


def _sign(key: str, lost: Lost) -> Sign:
    many = f"{lost.count:,} tasks {lost.task} were" if lost.count > 1 else f"task {lost.task} was"
    they, them = ("they are", "them") if lost.count > 1 else ("it is", "it")
    uuid = next(reversed(lost.uuids), "")
    return Sign(
        rest=key,
        sentence=f"{many} lost with worker {lost.worker}, which went away while running: unless {they} acknowledged "
        f"late, nobody runs {them} again",
        since=lost.first,
        count=lost.count,
        tally=f"{lost.count:,} lost, the last noticed at {moment(lost.last)}",
        last=lost.last,
        task=lost.task,
        worker=lost.worker,
        uuid=uuid,
        page=f"tasks/{uuid}" if uuid else f"workers/{quote(lost.worker, safe='')}",
    )
