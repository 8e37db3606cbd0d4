"""Parts for tests of flows about a watched cluster: a list as its tasks, workers that answer as told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from nightowl.core.cluster.command import Answer, Command
from nightowl.core.cluster.result import TaskResult
from nightowl.core.cluster.state import Broker, ClusterState, Queue, Worker
from nightowl.core.cluster.task import Task, TaskFilter
from nightowl.core.errors import Unavailable
from nightowl.ports.clusters import TaskStore


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class Tasks(TaskStore):
    """Tasks in a list, newest first; only what the flows ask for."""

    def __init__(self, *tasks: Task, workers: Sequence[Worker] = ()) -> None:
        self.tasks = list(tasks)
        self.known = ClusterState(name="shop", at=0.0, since=0.0, workers=tuple(workers))

    def state(self, cluster: str) -> ClusterState | None:
        return self.known

    def get(self, cluster: str, uuids: Collection[str]) -> dict[str, Task]:
        return {task.uuid: task for task in self.tasks if task.uuid in uuids}

    def each(self, cluster: str, wanted: TaskFilter) -> Iterator[Task]:
        return (task for task in self.tasks if task.state in wanted.states)

    def count(self, cluster: str, wanted: TaskFilter, limit: int) -> int:
        return min(limit, sum(1 for _ in self.each(cluster, wanted)))


class Fleet:
    """Workers that answer as told, and queues that remember what was sent."""

    def __init__(self, answer: Callable[[Command, str], Any] = lambda command, worker: "ok", *workers: str) -> None:
        self.answer = answer
        self.workers = list(workers)
        self.asked: list[Command] = []
        self.expected: list[list[str]] = []
        self.sent: list[tuple[str, list[object], dict[str, object], dict[str, object]]] = []
        self.purged: list[str] = []
        self.away = False

    def ask(self, command: Command, timeout: float, expected: Collection[str] = ()) -> list[Answer]:
        if self.away:
            raise Unavailable("the broker does not answer")
        self.asked.append(command)
        self.expected.append(list(expected))
        if timeout <= 0:
            return []
        here = [name for name in self.workers if not command.workers or name in command.workers]
        awaited = command.workers or expected
        answers = [Answer(worker=name, value=self.answer(command, name)) for name in here]
        return answers + [Answer(worker=name, silent=True) for name in awaited if name not in here]

    def send(self, task: str, *, args: Sequence[object], kwargs: dict[str, object], options: dict[str, object]) -> str:
        self.sent.append((task, list(args), kwargs, options))
        return f"new-{len(self.sent)}"

    def purge(self, queue: str) -> int:
        self.purged.append(queue)
        return 7


class Depth:
    """Queues with so many messages."""

    def __init__(self, **ready: int) -> None:
        self.ready = ready
        self.away = False

    def queues(self, names: Collection[str]) -> list[Queue]:
        if self.away:
            raise Unavailable("the broker does not answer")
        return [Queue(name=name, ready=self.ready.get(name, 0)) for name in names]

    def broker(self) -> Broker:
        return Broker(kind="Redis", url="redis://")

    def close(self) -> None:
        pass


class Results:
    """A result backend that knows nothing."""

    def __init__(self) -> None:
        self.aborted: list[str] = []

    def get(self, task: str, timeout: float = 0.0) -> TaskResult:
        return TaskResult(state="PENDING")

    def abort(self, task: str) -> None:
        self.aborted.append(task)


def worker(name: str, **fields: Any) -> Worker:
    return Worker(**{"name": name, "up": True, "heard": 0.0, "since": 0.0} | fields)
