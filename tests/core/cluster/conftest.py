"""A watched cluster whose clock stands until it is moved: its tasks, queues and workers are what a test says."""

from __future__ import annotations

from itertools import count

import pytest
from msgspec.structs import replace

from nightowl.core.cluster.finding import Finding
from nightowl.core.cluster.findings import Memory, judge, observe, recalled, remembered
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.cluster.state import ClusterState, Queue, Worker
from nightowl.core.cluster.task import ENDED, Task, TaskState

START = 1_700_000_000.0
STEP = 10.0


class Watched:
    """``open`` are the tasks that have not ended; ``found`` is what goes wrong, by detector and rest."""

    def __init__(self) -> None:
        self.now = START
        self.settings = ClusterSettings(name="shop", broker="memory://")
        self.purged: dict[str, float] = {}
        self.memory = Memory()
        self.tasks: dict[str, Task] = {}
        self.workers: dict[str, Worker] = {}
        self.state = ClusterState(name="shop", at=START, since=START)
        self.findings: tuple[Finding, ...] = ()
        self._ids = count(1)
        self.up("celery@one", queues=("celery",))

    @property
    def found(self) -> dict[str, Finding]:
        return {finding.key: finding for finding in self.findings}

    def up(self, name: str, **fields: object) -> None:
        before = self.workers.get(name)
        since = before.since if before is not None and before.up else self.now
        known = {"active": 1, "processed": 9, "events_on": True, "inspected": self.now, "since": since, **fields}
        self.workers[name] = Worker(name=name, up=True, heard=self.now, **known)

    def down(self, name: str, *, goodbye: bool = False) -> None:
        worker = self.workers[name]
        self.workers[name] = replace(worker, up=False, offline=self.now, goodbye=goodbye, active=0)

    def queue(self, name: str = "celery", **fields: object) -> None:
        others = tuple(queue for queue in self.state.queues if queue.name != name)
        self.state = replace(self.state, queues=(*others, Queue(name=name, **fields)))

    def task(self, state: TaskState, name: str = "shop.mail", *, uuid: str = "", **fields: object) -> str:
        """Let a task come to a state now."""
        uuid = uuid or f"id-{next(self._ids)}"
        before = self.tasks.get(uuid) or Task(uuid=uuid, name=name, seen=self.now, worker="celery@one", queue="celery")
        now = {TaskState.STARTED: "started", TaskState.FAILURE: "failed", TaskState.RECEIVED: "received"}
        moments = {now[state]: self.now} if state in now else {}
        task = replace(before, state=str(state), updated=self.now, **moments, **fields)
        self.tasks[uuid] = task
        if state in ENDED:
            del self.tasks[uuid]
        observe(self.memory, [task], self.settings, self.now)
        return uuid

    def fail(self, name: str = "shop.charge", **fields: object) -> str:
        raised = {"exception": "KeyError", "place": "shop/tasks.py:3 in f"}
        return self.task(TaskState.FAILURE, name, **{**raised, **fields})

    def ran(self, times: int, runtime: float = 1.0, name: str = "shop.mail") -> None:
        for _ in range(times):
            self.task(TaskState.SUCCESS, name, runtime=runtime)

    def restart(self) -> None:
        self.memory = recalled(remembered(self.memory))

    def look(self) -> dict[str, Finding]:
        workers = tuple(replace(worker, heard=self.now) if worker.up else worker for worker in self.workers.values())
        self.state = replace(self.state, at=self.now, workers=workers)
        self.workers = {worker.name: worker for worker in workers}
        self.findings = judge(self.memory, self.state, list(self.tasks.values()), self.settings, self.now, self.purged)
        return self.found

    def wait(self, seconds: float, step: float = STEP) -> dict[str, Finding]:
        """Let time pass, judging as a watcher does."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + step)
            self.look()
        return self.found


@pytest.fixture
def watched() -> Watched:
    return Watched()
