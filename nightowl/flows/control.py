"""Control: a command to a watched cluster, from permission by way of the audit to the workers' answers.

Whatever changes something is written into the audit before it is sent: while the store is away, nothing is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from nightowl.core.cluster.calls import call_of, call_of_entry, confirm_call, confirm_name
from nightowl.core.cluster.catalogue import ACTIONS, Spec
from nightowl.core.cluster.command import Answer, Command
from nightowl.core.cluster.commands import (
    confirm_shrink,
    options_for_sending,
    permit,
    prepare,
    spec_of,
)
from nightowl.core.cluster.person import Many, Person
from nightowl.core.cluster.result import TaskResult
from nightowl.core.cluster.selection import listed, retriable, revocable, told
from nightowl.core.cluster.task import Task, TaskFilter
from nightowl.core.errors import NotFound, Refused
from nightowl.core.values import AuditEntry
from nightowl.ports import Clock, Store
from nightowl.ports.clusters import ClusterControl, TaskResults, TaskStore

TIMEOUT = 1.0
"""Seconds that workers are given to answer, unless said otherwise."""

MOST_REVOKED = 10_000
MOST_RETRIED = 1000
"""Tasks that one request revokes, or sends again."""

PORTION = 500
"""Ids in one command."""


class Remote:
    """What may be done to one cluster. Any thread may use it.

    ``allowed`` is its ``control``, ``keeps_arguments`` whether those of beat entries are kept at all. ``results`` is
    None without a result backend. ``ready`` tells how many messages wait in a queue (None: that cannot be told).
    ``Forbidden``, ``Unconfirmed`` and ``Refused`` say what is not done, ``ConfigurationError`` what is wrong with the
    arguments, ``Unavailable`` that the broker or the store is away.
    """

    def __init__(  # noqa: PLR0913 - each is a part of its own
        self,
        cluster: str,
        store: Store,
        tasks: TaskStore,
        clock: Clock,
        *,
        control: ClusterControl,
        results: TaskResults | None = None,
        ready: Callable[[str], int | None] = lambda _: None,
        allowed: bool = True,
        keeps_arguments: bool = True,
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._tasks = tasks
        self._clock = clock
        self._control = control
        self._results = results
        self._ready = ready
        self._allowed = allowed
        self._keeps_arguments = keeps_arguments

    def command(
        self,
        by: Person,
        name: str,
        given: Mapping[str, Any],
        workers: Sequence[str] = (),
        *,
        confirmed: bool = False,
        timeout: float = TIMEOUT,
    ) -> list[Answer]:
        """Send a command to these workers (none: to all); return their answers."""
        spec, command = spec_of(name), prepare(name, given, workers)
        self._permit(by, spec, command.arguments, confirmed=confirmed)
        if name == "pool_shrink":
            confirm_shrink(command, self._processes(command, timeout))
        if not spec.reads:
            self._write_down(by, spec, command.arguments, command.workers)
        return self._control.ask(command, timeout if spec.answers else 0.0, self._up())

    def send(
        self, by: Person, task: str, args: Sequence[Any], kwargs: Mapping[str, Any], options: Mapping[str, Any]
    ) -> str:
        """Put a task into its queue by name; return its id."""
        confirm_call(task, args, kwargs)
        checked = options_for_sending(options)
        self._permit(by, ACTIONS["send"], {"task": task}, confirmed=True)
        self._write_down(by, ACTIONS["send"], {"task": task}, (task,))
        return self._control.send(task, args=args, kwargs=dict(kwargs), options=checked)

    def result(self, task: str, timeout: float = 0.0) -> TaskResult:
        """What is known of a task's result, waiting up to ``timeout`` seconds for it to be ready."""
        return self._backend().get(task, timeout)

    def abort(self, by: Person, task: str) -> None:
        """Ask an abortable task to end by itself."""
        backend = self._backend()
        self._permit(by, ACTIONS["abort"], {"id": task}, confirmed=True)
        self._write_down(by, ACTIONS["abort"], {"id": task}, (task,))
        backend.abort(task)

    def retry(self, by: Person, task: str) -> str:
        """Send a task again with its arguments, to its queue; return the new id.

        Raises ``NotFound``, or ``Refused`` where its arguments are not known exactly, saying why.
        """
        known = self._tasks.get(self._cluster, [task]).get(task)
        if known is None:
            raise NotFound(f"There is no task with the id {task}.")
        self._permit(by, ACTIONS["retry"], {"task": known.name, "id": task}, confirmed=True)
        args, kwargs = call_of(known)
        self._write_down(by, ACTIONS["retry"], {"task": known.name, "id": task}, (task,))
        return self._send_to(known.name, args, kwargs, known.queue)

    def run(self, by: Person, entry: str) -> str:
        """Send the task of a beat entry now, to its queue; return its id.

        Raises ``NotFound``, or ``Refused`` where its arguments are not known exactly, saying why.
        """
        state = self._tasks.state(self._cluster)
        due = next((each for each in state.beat if each.name == entry), None) if state else None
        if due is None:
            raise NotFound(f"There is no beat entry named {entry}.")
        self._permit(by, ACTIONS["run"], {"entry": due.name, "task": due.task}, confirmed=True)
        if not self._keeps_arguments:
            raise Refused(f'Its arguments are not kept: arguments = "none" in [cluster.{self._cluster}].')
        args, kwargs = call_of_entry(due)
        self._write_down(by, ACTIONS["run"], {"entry": due.name, "task": due.task}, (due.name,))
        return self._send_to(due.task, args, kwargs, due.queue)

    def count(self, wanted: TaskFilter, most: int = MOST_REVOKED) -> int:
        """How many tasks a filter finds, counted up to one more than ``most``."""
        return self._tasks.count(self._cluster, wanted, most + 1)

    def revoke_many(
        self, by: Person, wanted: TaskFilter, *, confirmed: int | None, terminate: bool = False, signal: str = "SIGTERM"
    ) -> Many:
        """Revoke what a filter finds that has not ended: up to the newest ``confirmed``, which is the count shown.

        None: nothing is done, and ``Unconfirmed`` tells the count.
        """
        wanted = revocable(wanted)
        self._permit_many(by, "revoke_many", wanted, confirmed, MOST_REVOKED, terminate=terminate)
        ending = {"terminate": True, "signal": signal} if terminate else {}
        done = 0
        for portion in _portions(islice(self._tasks.each(self._cluster, wanted), confirmed)):
            ids = [task.uuid for task in portion]
            self._control.ask(prepare("revoke", {"ids": ids, **ending}), 0.0)
            done += len(ids)
        return Many(done)

    def retry_many(self, by: Person, wanted: TaskFilter, *, confirmed: int | None) -> Many:
        """Send again what a filter finds that has failed: up to the newest ``confirmed``, which is the count shown.

        None: nothing is done, and ``Unconfirmed`` tells the count. Those whose arguments are not known are left out.
        """
        wanted = retriable(wanted)
        self._permit_many(by, "retry_many", wanted, confirmed, MOST_RETRIED)
        done, refused = 0, Counter[str]()
        for task in list(islice(self._tasks.each(self._cluster, wanted), confirmed)):
            try:
                args, kwargs = call_of(task)
            except Refused as error:
                refused[str(error)] += 1
                continue
            self._send_to(task.name, args, kwargs, task.queue)
            done += 1
        return Many(done, dict(refused))

    def purge(self, by: Person, queue: str, *, confirmed: bool) -> int:
        """Delete what waits in a queue; return how many messages that were.

        Not confirmed: nothing is done, and ``Unconfirmed`` tells how many there are.
        """
        confirm_name("queue", queue)
        ready = self._ready(queue)
        about = {"queue": queue, "count": "an unknown number of" if ready is None else ready}
        self._permit(by, ACTIONS["purge"], about, confirmed=confirmed)
        self._write_down(by, ACTIONS["purge"], about, (queue,))
        return self._control.purge(queue)

    def _permit(self, by: Person, spec: Spec, arguments: Mapping[str, Any], *, confirmed: bool) -> None:
        if not self._allowed:
            raise Refused(f"{self._cluster} is watched only: control = false in [cluster.{self._cluster}].")
        permit(spec, arguments, by.role, confirmed=confirmed)

    def _permit_many(
        self, by: Person, action: str, wanted: TaskFilter, confirmed: int | None, most: int, *, terminate: bool = False
    ) -> None:
        count = self.count(wanted, most)
        if count > most:
            raise Refused(f"These are more than {most:,} tasks: narrow the filter.")
        about = {"count": count if confirmed is None else min(count, confirmed), "terminate": terminate}
        self._permit(by, ACTIONS[action], about, confirmed=confirmed is not None)
        self._write_down(by, ACTIONS[action], about, (), detail=told(wanted))

    def _write_down(
        self, by: Person, spec: Spec, arguments: Mapping[str, Any], about: Sequence[str], *, detail: str = ""
    ) -> None:
        subject = f"{self._cluster}/{about[0]}" if len(about) == 1 else self._cluster
        to = f" on {listed(about)}" if len(about) > 1 else ""
        text = "\n".join(filter(None, (f"{spec.says(arguments)}{to}", detail)))
        entry = AuditEntry(
            at=self._clock.now(), author=by.author, what=f"cluster.{spec.name}", subject=subject, detail=text
        )
        with self._store.transaction() as unit:
            unit.audit.add(entry)

    def _up(self) -> list[str]:
        """Workers that are known to be up, who are expected to answer."""
        state = self._tasks.state(self._cluster)
        return [worker.name for worker in state.workers if worker.up] if state else []

    def _processes(self, command: Command, timeout: float) -> dict[str, int | None]:
        """How many processes each worker has now; one with autoscaling refuses by itself, and is left out."""
        answers = self._control.ask(Command(name="stats", workers=command.workers), timeout, self._up())
        pools = {answer.worker: answer.value for answer in answers}
        return {name: _size(stats) for name, stats in pools.items() if not _field(stats, "autoscaler")}

    def _backend(self) -> TaskResults:
        if self._results is None:
            raise Refused(f"{self._cluster} has no result backend: set backend in [cluster.{self._cluster}].")
        return self._results

    def _send_to(self, task: str, args: Sequence[Any], kwargs: dict[str, Any], queue: str) -> str:
        options: dict[str, object] = {"queue": queue} if queue else {}
        return self._control.send(task, args=args, kwargs=kwargs, options=options)


def _portions(tasks: Iterator[Task]) -> Iterator[list[Task]]:
    while portion := list(islice(tasks, PORTION)):
        yield portion


def _size(stats: Any) -> int | None:
    pool = _field(stats, "pool")
    processes, most = _field(pool, "processes"), _field(pool, "max-concurrency")
    if isinstance(processes, list) and processes:
        return len(processes)
    return most if isinstance(most, int) else None


def _field(table: Any, key: str) -> Any:
    return table.get(key) if isinstance(table, dict) else None
