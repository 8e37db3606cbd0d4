"""Failed tasks: one finding for each task, exception and place, from the first failure on.

A task that fails usually says nothing by failing once more: one of which at least 20 ended within a day before this
hour, more than 5 % of them failed. What fails now does not make that usual, so a storm of failures is not its own
excuse. Retries are no failures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from nightowl.core.cluster.finding import shortened
from nightowl.core.cluster.findings.memory import Failed, Memory, make_room
from nightowl.core.cluster.findings.scene import Scene, Sign
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.cluster.task import Task, TaskState
from nightowl.core.messages import cut, moment

ENOUGH = 20
"""Ends that must be known before it is known whether a task usually fails."""

USUALLY = 0.05
"""The share of failures beyond which a task usually fails."""

MOST = 1000
"""Kinds of failures that are remembered; those that happened longest ago are forgotten."""

MOST_COUNTED = 2000
"""Failed runs that are remembered, so that none counts twice."""

_ERROR = 300
_ARGUMENTS = 500
_TRACEBACK = 3000
"""Characters of an error, of arguments, and of a traceback's end."""


def observe(memory: Memory, tasks: Iterable[Task], settings: ClusterSettings, now: float) -> None:
    """Take in what has become of tasks; one may come more than once."""
    wanted = settings.failures.tasks
    for task in tasks:
        if task.state == TaskState.FAILURE and any(fnmatchcase(task.name, each) for each in wanted):
            _count(memory, task, now)


def look(scene: Scene) -> Iterator[Sign]:
    """Yield the failures that have not ceased."""
    settings = scene.settings.failures
    failures = scene.memory.failures
    for key, failed in list(failures.items()):
        if scene.now - failed.last > settings.resolve:
            del failures[key]
        elif not scene.skips(failed.task):
            failed.told = failed.told or (
                failed.count >= settings.after and not fails_usually(scene.memory, failed.task, scene.now)
            )
            if failed.told:
                yield _sign(key, failed)


def fails_usually(memory: Memory, name: str, now: float) -> bool:
    """Whether it is usual for a task to fail now and then."""
    usual = memory.usual.get(name)
    if usual is None:
        return False
    ends = usual.before(now)
    return ends.ended >= ENOUGH and ends.failed > USUALLY * ends.ended


def _count(memory: Memory, task: Task, now: float) -> None:
    run = f"{task.uuid}/{task.retries}/{task.executions}"
    if run in memory.counted:
        return
    memory.counted[run] = None
    while len(memory.counted) > MOST_COUNTED:
        del memory.counted[next(iter(memory.counted))]
    exception = task.exception.rpartition(".")[2] or task.exception
    key = shortened("/".join(filter(None, (task.name, exception, task.place))))
    at = min(task.failed or now, now)
    failed = memory.failures.get(key)
    if failed is None:
        make_room(memory.failures, MOST, lambda each: each.last)
        failed = memory.failures[key] = Failed(task.name, exception, task.place, first=at, last=at)
    failed.count += 1
    failed.first, failed.last = min(at, failed.first), max(at, failed.last)
    failed.uuid, failed.error = task.uuid, " ".join(cut(task.error or "", _ERROR).split())
    if not failed.details:
        failed.details = _details(task)


def _details(task: Task) -> str:
    """What proves the first of them."""
    traceback = (task.traceback or "").strip()
    return "\n".join(
        filter(
            None,
            (
                f"task {task.uuid}" + (f" on {task.worker}" if task.worker else ""),
                f"args: {cut(task.args, _ARGUMENTS)}" if task.args else "",
                f"kwargs: {cut(task.kwargs, _ARGUMENTS)}" if task.kwargs else "",
                traceback if len(traceback) <= _TRACEBACK else f"…{traceback[-_TRACEBACK:]}",
            ),
        )
    )


def _sign(key: str, failed: Failed) -> Sign:
    where = f" at {failed.place}" if failed.place else ""
    said = "" if failed.error in ("", failed.exception) else f": {failed.error}"
    return Sign(
        rest=key,
        sentence=f"task {failed.task} failed with {failed.exception or 'an unknown exception'}{where}{said}",
        since=failed.first,
        count=failed.count,
        tally=f"{failed.count:,} failure{'' if failed.count == 1 else 's'}, the last at {moment(failed.last)}",
        last=failed.last,
        task=failed.task,
        uuid=failed.uuid,
        details=failed.details,
        page=f"tasks/{failed.uuid}",
    )
