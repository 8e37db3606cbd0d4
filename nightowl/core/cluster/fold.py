"""Folding what is read of a cluster: events to the lifecycle of their tasks, and all that is due without an event.

The rules of the lifecycle stand in ``lifecycle``. A task whose beginning was not seen is asked for in the store; until
the answer its events wait.

Lost is a task that was started on a worker that has been away for ``grace`` seconds (``LEAVING`` after a goodbye), or
began anew so long ago: with Celery's default, early acknowledgement, nobody will run it. With late acknowledgement the
broker gives it to another worker (RabbitMQ at once, Redis after its visibility timeout, an hour by default), and any
later event shows that it is not lost. A task that was only received is not lost either: its message was not
acknowledged; nor is one whose worker ran nothing any more when it was heard later: that ended without a word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import islice

from nightowl.core.cluster.booking import Books
from nightowl.core.cluster.entry import DONE, Entry, restored
from nightowl.core.cluster.events import Event, Intake
from nightowl.core.cluster.figures import OTHER, Figures
from nightowl.core.cluster.lifecycle import Lifecycle, Told
from nightowl.core.cluster.pending import Pending
from nightowl.core.cluster.task import Task, TaskState
from nightowl.core.cluster.workers import PILED_UP, TOLERANCE, Sender, Workers

MOST_OPEN = 1_000_000
MOST_ASKED = 100_000
"""Tasks that are asked for at once; those beyond are taken as new."""

UNTOLD = 2.0
"""Seconds at least from a start until the worker runs nothing, for a task to have ended without a word (``Ignore``)."""

LEAVING = 600.0
"""Seconds in which a worker that said goodbye may end what it runs: one that is asked to stop says so first."""

GRACE = 60.0
"""Seconds for which a worker has been away before its tasks are lost."""

ASKING = 30.0
"""Seconds after which an answer is no longer waited for."""

_MOST_PARKED = 200  # events of one task
_MOST_TYPES = 200

Parked = tuple[float, list[tuple[Event, float]]]
"""Events of a task that is asked for, with their corrected times, and since when."""


class Fold:
    """Folds the events of one cluster, for one thread.

    ``default_queue`` is where tasks are counted whose queue nothing tells, ``grace`` seconds, ``most_open`` how many
    tasks are held at most: beyond that the oldest are written and ``forgotten``. ``told`` takes each end of an
    execution.
    """

    def __init__(
        self,
        figures: Figures,
        workers: Workers,
        *,
        default_queue: str = "celery",
        grace: float = GRACE,
        most_open: int = MOST_OPEN,
        told: Told | None = None,
    ) -> None:
        self.figures = figures
        self.workers = workers
        self.books = Books(figures, default_queue)
        self.forgotten = 0
        self._grace = grace
        self._most_open = most_open
        self._tasks: dict[str, Entry] = {}
        self._parked: dict[str, Parked] = {}
        self._unasked: list[str] = []
        self._lost_of: dict[str, float] = {}
        self._pending = Pending()
        self._life = Lifecycle(self._tasks, self._parked, self.books, self._pending, self._park, told)
        self._handlers = self._life.handlers()

    def __len__(self) -> int:
        return len(self._tasks)

    def take(self, intakes: Iterable[Intake], now: float) -> None:
        """Take in what was read; ``now`` is Unix seconds by the watcher's clock."""
        figures, workers = self.figures, self.workers
        counted, senders, handlers = figures.events, workers.senders, self._handlers
        for intake in intakes:
            at = intake.at
            for reason, count in intake.refused.items():
                figures.refused[reason] = figures.refused.get(reason, 0) + count
            for gap in intake.gaps:
                figures.gaps += 1
                figures.lost += gap.lost or 0
            for event in intake.events:
                kind = event.type
                handler = handlers.get(kind)
                sender = senders.get(event.hostname) or workers.sender(event.hostname, at)
                sender.heard = at
                if handler is None:
                    self._other(event, sender, at)
                    continue
                counted[kind] = counted.get(kind, 0) + 1
                stamp = event.timestamp - sender.fast
                if at >= sender.look or not -TOLERANCE <= at - stamp <= PILED_UP:
                    stamp = sender.corrected(event.timestamp, at)
                    if kind != "task-sent" and not sender.goodbye:
                        workers.works(sender, at)
                if event.uuid and event.hostname:
                    handler(event, stamp, at)
        self.settle(now)

    def settle(self, now: float) -> None:
        """Do what is due without an event, too: held counts, workers that went away, what is forgotten."""
        if self._parked:
            for uuid in [uuid for uuid, (since, _) in islice(self._parked.items(), 1000) if since <= now - ASKING]:
                self._unpark(uuid, None, now)
        self.books.overdue(now)
        purged = self.workers.sweep(now)
        self.figures.retire(purged)
        self._lose(purged, now)
        for entry in self._pending.past(now):
            if self._tasks.get(entry.task.uuid) is entry:
                del self._tasks[entry.task.uuid]
        if len(self._tasks) > self._most_open:
            self._forget_oldest(now)

    def unknown(self) -> list[str]:
        """Return ids, each once, that are to be looked up in the store; ``known`` takes the answer."""
        asked, self._unasked = self._unasked, []
        return [uuid for uuid in asked if uuid in self._parked]

    def known(self, found: Mapping[str, Task], asked: Collection[str], now: float) -> None:
        """Take what the store knows of the ids that were ``asked`` for; those not ``found`` are new."""
        for uuid in asked:
            self._unpark(uuid, found.get(uuid), now)

    def restore(self, tasks: Iterable[Task], now: float) -> None:
        """Go on with tasks that had not ended when a watcher wrote them."""
        for task in tasks:
            if task.uuid not in self._tasks:
                entry = self._tasks[task.uuid] = restored(task, now)
                self.books.label(entry, task.worker, now)

    def open(self) -> list[Task]:
        """Return the tasks that have not ended, oldest first. Any thread may ask; they go on changing."""
        return [entry.task for entry in list(self._tasks.values()) if entry.rank < DONE]

    def due(self, now: float) -> list[Task]:
        """Return copies of tasks to be written now: ended ones at once, others when a change is two seconds old."""
        return self._pending.due(now)

    def _other(self, event: Event, sender: Sender, now: float) -> None:
        kind = event.type
        if kind.startswith("worker-"):
            sender.corrected(event.timestamp, now)
            self.workers.tell(sender, event, now)
        elif kind.startswith("task-"):
            counted = self.figures.events
            kind = kind if kind in counted or len(counted) < _MOST_TYPES else OTHER
            counted[kind] = counted.get(kind, 0) + 1

    def _park(self, event: Event, stamp: float, now: float) -> None:
        """Let an event wait until it is known what the store says of its task."""
        parked = self._parked.get(event.uuid)
        if parked is None:
            parked = self._parked[event.uuid] = (now, [])
            self._unasked.append(event.uuid)
        if len(parked[1]) < _MOST_PARKED:
            parked[1].append((event, stamp))
        if len(self._parked) > MOST_ASKED:
            self._unpark(next(iter(self._parked)), None, now)

    def _unpark(self, uuid: str, task: Task | None, now: float) -> None:
        parked = self._parked.pop(uuid, None)
        if parked is None or uuid in self._tasks:
            return
        if task is None:
            self._tasks[uuid] = Entry(Task(uuid=uuid, seen=parked[0]))
        else:
            self.restore((task,), now)
        for event, stamp in parked[1]:
            self._handlers[event.type](event, stamp, now)

    def _lose(self, purged: Collection[str], now: float) -> None:
        leaving = max(LEAVING, self._grace)
        away = {sender.name: sender.offline for sender in self.workers.away(now, self._grace, leaving)}
        fresh = {name for name, since in away.items() if self._lost_of.get(name) != since}.union(purged)
        self._lost_of = {name: since for name, since in away.items() if since is not None}
        rested = self.workers.rested
        ended = self.workers.replaced(now - self._grace) | dict.fromkeys(fresh, now)
        for entry in self._tasks.values() if ended else ():
            started, worker = entry.task.started or 0.0, entry.task.worker
            if entry.task.state != TaskState.STARTED or started >= ended.get(worker, started):
                continue
            if started > rested(worker, started) - UNTOLD:
                entry.task.state, entry.rank = TaskState.LOST.value, DONE
                self._pending.changed(entry, now)
        self.workers.settle(now - self._grace)
        for name in fresh:
            self.workers.starts.pop(name, None)
        for name in purged:
            self.workers.idle.pop(name, None)

    def _forget_oldest(self, now: float) -> None:
        """Let the oldest go, some hundredth part more than must be, so that it is not each time anew."""
        count = len(self._tasks) - self._most_open + self._most_open // 100
        for uuid in list(islice(self._tasks, count)):
            entry = self._tasks.pop(uuid)
            if entry.held:
                self.books.settle(entry, entry.held[0].worker, now)
            self._pending.at_once(entry)
            self.forgotten += 1
        self._life.forgetful = True
