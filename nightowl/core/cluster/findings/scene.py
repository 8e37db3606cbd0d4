"""What a detector looks at, and the signs that it gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import islice

import msgspec

from nightowl.core.cluster.findings.memory import Memory
from nightowl.core.cluster.settings import ClusterSettings, FindingSettings
from nightowl.core.cluster.state import ClusterState, Worker
from nightowl.core.cluster.task import Task, TaskState
from nightowl.core.values import Severity

MOST_OPEN = 200_000
"""Tasks that have not ended that are looked at, the oldest first."""

MOST_NOTABLE = 10_000
"""Tasks of a kind that are looked at closely."""

RUNS = 20
"""Runs that must be known before a run time is usual."""

TIMES = 10
"""By how many times a run exceeds what 99 % of runs take before it is stuck."""

UNKNOWN = 3600.0
"""Seconds that a run may take where it is not known how long one usually takes."""


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """What a detector sees now; the fields are as those of ``Finding``.

    ``fires``: it is enough to open an incident; otherwise to keep one that is open. ``since``: since when it has been
    so (None: as far as the detector has been seeing it). ``severity``: where it is not the detector's own. ``page`` is
    the page below the cluster's own.
    """

    rest: str
    sentence: str
    fires: bool = True
    since: float | None = None
    severity: Severity | None = None
    count: int = 0
    tally: str = ""
    last: float = 0.0
    task: str = ""
    queue: str = ""
    worker: str = ""
    uuid: str = ""
    details: str = ""
    page: str = ""


class Open(msgspec.Struct):
    """Tasks that have not ended: all of them counted, and those that have been so for long.

    ``started`` counts by worker, ``received`` by name those that were received, are due and have not finished.
    ``overdue`` have run for long; ``unreceived`` have been due for long, and not for too long; ``idle`` has, by name,
    the one that was received first of those that have not started.
    """

    started: Counter[str]
    received: Counter[str]
    overdue: list[Task]
    unreceived: list[Task]
    idle: dict[str, Task]


class Scene(msgspec.Struct, kw_only=True):
    """A cluster at ``now`` (Unix seconds, the watcher's clock), for one detector that is tuned by ``tuning``.

    ``purged`` says when queues were purged last, as far as NightOwl did it.
    """

    state: ClusterState
    open: Open
    memory: Memory
    settings: ClusterSettings
    workers: Mapping[str, Worker]
    now: float
    purged: Mapping[str, float] = {}
    tuning: FindingSettings = FindingSettings()
    after: float = 0.0

    def skips(self, *names: str) -> bool:
        """Whether something of one of these names is not to be judged."""
        return any(fnmatchcase(name, pattern) for pattern in self.tuning.skip for name in names if name)

    def consumers_of(self, queue: str) -> list[Worker]:
        """The workers that are up and are known to consume a queue."""
        return [worker for worker in self.workers.values() if worker.up and queue in worker.queues]


def limit(memory: Memory, name: str, least: float) -> float:
    """Seconds beyond which a run of a task is stuck."""
    usual = memory.usual.get(name)
    if usual is None or usual.runs < RUNS:
        return max(UNKNOWN, least)
    return max(TIMES * usual.runtime(0.99), least)


def running_since(task: Task) -> float:
    """When it was started, as far as that was seen: a sender's clock may be wrong by more than is known."""
    return max(task.started or 0.0, task.seen)


def due_since(task: Task) -> float:
    """When it was sent, or was due by its ETA."""
    return max(task.seen, task.eta or 0.0)


def collect(
    tasks: Iterable[Task], memory: Memory, now: float, *, stuck: float, unreceived: tuple[float, float]
) -> Open:
    """Go through the open tasks once, oldest first.

    ``stuck`` and ``unreceived`` are the least seconds for these; of the latter also the most, so that those of which
    nothing will ever be heard leave room for others.
    """
    found = Open(Counter(), Counter(), [], [], {})
    limits: dict[str, float] = {}
    for task in islice(tasks, MOST_OPEN):
        if task.state == TaskState.PENDING:
            if unreceived[0] <= now - due_since(task) <= unreceived[1] and len(found.unreceived) < MOST_NOTABLE:
                found.unreceived.append(task)
            continue
        if task.state == TaskState.STARTED:
            found.started[task.worker] += 1
            if task.name not in limits:
                limits[task.name] = limit(memory, task.name, stuck)
            if now - running_since(task) > limits[task.name] and len(found.overdue) < MOST_NOTABLE:
                found.overdue.append(task)
        elif task.state != TaskState.RECEIVED or (task.eta or 0.0) > now:
            continue
        else:
            found.idle.setdefault(task.name, task)
        found.received[task.name] += 1
    return found


def by_name(tasks: Sequence[Task]) -> dict[str, list[Task]]:
    """Tasks by their names."""
    found: dict[str, list[Task]] = {}
    for task in tasks:
        found.setdefault(task.name, []).append(task)
    return found
