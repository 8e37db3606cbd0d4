"""The lifecycle of tasks, folded event by event, and what is counted of it.

An execution of a task begins with task-received: of greater ``retries``, or after a start or an end that came before
it (redelivery). A task shows its newest execution. What comes late fills in its time and never takes a state back; what
belongs to an earlier execution is counted and changes nothing else.

Every event is counted once, where the same event is the same type, sender and sender's time. Two of Celery's pairs
count as one: the second task-failed of an execution (a hard time limit on Celery 5.7), and what ``Reject`` without
requeueing sends, which is task-failed and task-rejected on 5.7 and task-rejected alone on 5.6. Both end as REJECTED
with the exception ``Reject``, count as rejected once, and do not count as failed.

A task that is rejected back into its queue is pending again. One that raises ``Ignore`` sends nothing more: it stays
started until its worker goes away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy

from nightowl.core.cluster.booking import FAILED, Books
from nightowl.core.cluster.entry import (
    DONE,
    QUEUED,
    RECEIVED,
    STARTED,
    STATE_OF,
    Entry,
    Late,
    finish,
    merge,
    remember,
    restate,
    says_again,
    taken,
)
from nightowl.core.cluster.events import Event
from nightowl.core.cluster.failure import HARD_LIMIT, REJECT, REJECTS, bare, exception_class, place, told, unregistered
from nightowl.core.cluster.figures import KINDS
from nightowl.core.cluster.moments import moment
from nightowl.core.cluster.pending import Pending
from nightowl.core.cluster.task import Task, TaskState

Park = Callable[[Event, float, float], None]
Told = Callable[[str, float, Task], None]
"""Takes each end of an execution, once: the event's type, its time and the task, which goes on changing."""

_NUMBER = {stage: number for number, stage in enumerate(KINDS)}
_N_RECEIVED, _N_STARTED, _N_SUCCEEDED = _NUMBER["received"], _NUMBER["started"], _NUMBER["succeeded"]
_RECEIVED, _STARTED, _SUCCESS = TaskState.RECEIVED.value, TaskState.STARTED.value, TaskState.SUCCESS.value
_LONGEST_RUN = 1e9  # seconds
_LARGEST = 2**53
_MOST_AHEAD = 7
"""Task-sents of one task, beside the newest, that wait for their executions."""


class Lifecycle:
    """Folds events into ``tasks``. What is not known yet goes to ``park`` (event, time, now), ends to ``told``.

    ``forgetful`` is whether tasks were forgotten that had not ended, so that any task may have begun before.
    """

    def __init__(
        self,
        tasks: dict[str, Entry],
        parked: Mapping[str, object],
        books: Books,
        pending: Pending,
        park: Park,
        told: Told | None = None,
    ) -> None:
        self.forgetful = False
        self._tasks = tasks
        self._parked = parked
        self._books = books
        self._pending = pending
        self._park = park
        self._told = told

    def handlers(self) -> dict[str, Park]:
        """What takes an event, its time by the watcher's clock and when it was taken in, by type."""
        return {
            "task-sent": self._sent,
            "task-received": self._received,
            "task-started": self._started,
            "task-succeeded": self._succeeded,
            "task-failed": self._failed,
            "task-retried": self._retried,
            "task-revoked": self._revoked,
            "task-rejected": self._rejected,
            "task-progress": self._progress,
        }

    def _sent(self, event: Event, stamp: float, now: float) -> None:
        entry = self._tasks.get(event.uuid)
        if entry is None:
            self._sent_first(event, stamp, now)
        elif not _knows_sent(entry, event):
            self._sent_again(entry, event, stamp, now)

    def _sent_first(self, event: Event, stamp: float, now: float) -> None:
        name, queue = event.name, event.queue
        if not name or not queue or self._may_have_begun(event):
            self._park(event, stamp, now)
            return
        task = Task(
            uuid=event.uuid, name=name, client=event.hostname, queue=queue, exchange=event.exchange or "",
            routing_key=event.routing_key or "", args=event.args, kwargs=event.kwargs, root=event.root_id or "",
            parent=event.parent_id or "", sent=stamp, updated=stamp, seen=now,
        )  # fmt: skip
        if event.clock is not None and 0 <= event.clock <= _LARGEST:
            task.clock = event.clock
        if event.eta or event.expires:
            task.eta, task.expires = moment(event.eta), moment(event.expires)
        entry = Entry(task, label=queue, settled=True, sent_raw=event.timestamp, sent_by=event.hostname)
        self._tasks[event.uuid] = entry
        self._books.sent(name, event.hostname.rpartition("@")[2], queue, now)
        self._pending.opened(entry, now)

    def _sent_again(self, entry: Entry, event: Event, stamp: float, now: float) -> None:
        task, retries = entry.task, event.retries or 0
        self._books.sent(event.name or task.name, event.hostname.rpartition("@")[2], event.queue or "", now)
        if retries < task.retries:
            remember(entry, "sent", event.timestamp, event.hostname)
        elif retries > task.retries or entry.sent_by is not None:
            _keep_ahead(entry, event, stamp)
            task.name, task.queue = task.name or event.name or "", task.queue or event.queue or ""
        else:
            self._fill_sent(entry, event, stamp, now)
            self._pending.changed(entry, now)

    def _received(self, event: Event, stamp: float, now: float) -> None:
        entry = self._tasks.get(event.uuid) or self._opened(event, stamp, now)
        if entry is None:
            return
        task = entry.task
        if entry.received_by is None and entry.rank == QUEUED and (event.retries or 0) == task.retries:
            entry.received_raw, entry.received_by = event.timestamp, event.hostname
            task.received, task.worker, task.state = stamp, event.hostname, _RECEIVED
            entry.rank, entry.last = RECEIVED, stamp
            if event.clock is not None and 0 <= event.clock <= _LARGEST:
                task.clock = event.clock
            if entry.sent_by is None:
                _describe(task, event, stamp)
            elif stamp > task.updated:
                task.updated = stamp
        elif not self._received_late(entry, event, stamp, now):
            return
        entry.receipts += 1
        if entry.receipts > task.executions:  # noqa: PLR1730  # a call of max takes longer
            task.executions = entry.receipts
        if not entry.settled:
            self._books.label(entry, event.hostname, now)
        self._books.count(entry, _N_RECEIVED, event.hostname, task.eta, now)
        if not entry.dirty:
            self._pending.changed(entry, now)

    def _started(self, event: Event, stamp: float, now: float) -> None:
        entry = self._tasks.get(event.uuid)
        if entry is None:
            self._park(event, stamp, now)
            return
        task, wait = entry.task, None
        if (
            entry.rank < STARTED
            and stamp >= entry.last
            and (entry.earlier is None or not _was_earlier(entry, "started", event))
        ):
            entry.started_raw, entry.started_by = event.timestamp, event.hostname
            task.started, task.worker, task.state = stamp, event.hostname, _STARTED
            entry.rank, entry.last = STARTED, stamp
            if event.clock is not None and 0 <= event.clock <= _LARGEST:
                task.clock = event.clock
            if stamp > task.updated:  # noqa: PLR1730
                task.updated = stamp
            if task.sent is not None:
                wait = _wait(task, task.sent, stamp)
        else:
            late = self._late(entry, "started", event, stamp)
            if late is Late.REPEATED:
                return
            if late is Late.NEWEST and task.sent is not None:
                wait = _wait(task, task.sent, stamp)
        entry.starts += 1
        if entry.starts > task.executions:  # noqa: PLR1730
            task.executions = entry.starts
        self._books.count(entry, _N_STARTED, event.hostname, wait, now)
        if not entry.dirty:
            self._pending.changed(entry, now)

    def _succeeded(self, event: Event, stamp: float, now: float) -> None:
        entry = self._tasks.get(event.uuid)
        if entry is None:
            self._park(event, stamp, now)
            return
        task, runtime = entry.task, event.runtime
        if runtime is not None and not 0.0 <= runtime < _LONGEST_RUN:
            runtime = None
        if (
            entry.rank < DONE
            and stamp >= entry.last
            and (entry.earlier is None or not _was_earlier(entry, "succeeded", event))
        ):
            entry.succeeded_raw, entry.succeeded_by = event.timestamp, event.hostname
            task.succeeded, task.worker, task.state = stamp, event.hostname, _SUCCESS
            entry.rank, entry.last = DONE, stamp
            if event.clock is not None and 0 <= event.clock <= _LARGEST:
                task.clock = event.clock
            if stamp > task.updated:  # noqa: PLR1730
                task.updated = stamp
            task.runtime, task.result = runtime, event.result
        else:
            late = self._late(entry, "succeeded", event, stamp)
            if late is Late.REPEATED:
                return
            if late is Late.NEWEST:
                task.runtime, task.result = runtime, event.result
        self._books.count(entry, _N_SUCCEEDED, event.hostname, runtime, now)
        if self._told is not None:
            self._told("task-succeeded", stamp, task)
        if entry.rank == DONE:
            self._pending.ended(entry, now)
        else:
            self._pending.changed(entry, now)

    def _failed(self, event: Event, stamp: float, now: float) -> None:
        entry = self._tasks.get(event.uuid) or self._failed_first(event, stamp, now)
        if entry is None:
            return
        exception = exception_class(event.exception, event.traceback)
        if exception in REJECTS:
            self._refused(entry, event, stamp, now)
            return
        again = bare(exception) == HARD_LIMIT and says_again(entry, "limit", "limit", event)
        late = self._late(entry, "failed", event, stamp)
        if late is Late.REPEATED:
            return
        task = self._ending(entry, "failed", late, event, stamp)
        _blame(task, exception, event)
        if not again:
            self._books.count(entry, FAILED, event.hostname, bare(exception), now)
            self._tell("task-failed", stamp, task)
        self._pending.changed(entry, now)

    def _refused(self, entry: Entry, event: Event, stamp: float, now: float) -> None:
        """Take task-failed with ``Reject`` as the rejection that it is."""
        again = says_again(entry, "refused", "rejected", event)
        late = self._late(entry, "rejected", event, stamp)
        if late is Late.REPEATED:
            return
        task = self._ending(entry, "rejected", late, event, stamp)
        _blame(task, REJECT, event)
        if not again:
            self._books.count(entry, _NUMBER["rejected"], event.hostname, None, now)
            self._tell("task-rejected", stamp, task)
        self._pending.changed(entry, now)

    def _rejected(self, event: Event, stamp: float, now: float) -> None:
        entry = self._tasks.get(event.uuid)
        if entry is None:
            self._park(event, stamp, now)
            return
        again = not event.requeue and says_again(entry, "rejected", "refused", event)
        before, entry.requeued = entry.requeued, bool(event.requeue)
        late = self._late(entry, "rejected", event, stamp)
        if late is not Late.NEWEST:
            entry.requeued = before
            restate(entry)
        elif not event.requeue:
            entry.task.exception = entry.task.exception or REJECT
        if late is Late.REPEATED:
            return
        if not again:
            self._books.count(entry, _NUMBER["rejected"], event.hostname, None, now)
            self._tell("task-rejected", stamp, entry.task)
        self._pending.changed(entry, now)

    def _retried(self, event: Event, stamp: float, now: float) -> None:
        exception = exception_class(event.exception, event.traceback)
        self._ended("retried", event, stamp, now, lambda task: _blame(task, exception, event))

    def _revoked(self, event: Event, stamp: float, now: float) -> None:
        def explain(task: Task) -> None:
            task.error = (
                f"terminated, signal {event.signum}" if event.terminated else "expired" if event.expired else "revoked"
            )

        self._ended("revoked", event, stamp, now, explain)

    def _ended(self, stage: str, event: Event, stamp: float, now: float, explain: Callable[[Task], None]) -> None:
        entry = self._tasks.get(event.uuid)
        if entry is None:
            self._park(event, stamp, now)
            return
        late = self._late(entry, stage, event, stamp)
        if late is Late.REPEATED:
            return
        task = self._ending(entry, stage, late, event, stamp)
        explain(task)
        self._books.count(entry, _NUMBER[stage], event.hostname, None, now)
        self._tell(event.type, stamp, task)
        self._pending.changed(entry, now)

    def _ending(self, entry: Entry, stage: str, late: Late, event: Event, stamp: float) -> Task:
        """Return the task that an end tells of: of an earlier execution it is a copy, which shows that end."""
        if late is Late.NEWEST:
            return entry.task
        task = copy(entry.task)
        task.state, task.worker = STATE_OF[stage], event.hostname
        setattr(task, stage, stamp)
        return task

    def _tell(self, kind: str, stamp: float, task: Task) -> None:
        if self._told is not None:
            self._told(kind, stamp, task)

    def _progress(self, event: Event, stamp: float, now: float) -> None:
        entry = self._tasks.get(event.uuid)
        if entry is not None and entry.rank <= STARTED:
            entry.task.current, entry.task.total = event.current, event.total
            entry.task.updated = max(entry.task.updated, stamp)
            self._pending.changed(entry, now)

    def _opened(self, event: Event, stamp: float, now: float) -> Entry | None:
        """Begin a task, unless it may have begun before: then its event is parked."""
        if not event.name or self._may_have_begun(event):
            self._park(event, stamp, now)
            return None
        entry = self._tasks[event.uuid] = Entry(Task(uuid=event.uuid, name=event.name, seen=now))
        return entry

    def _may_have_begun(self, event: Event) -> bool:
        return bool(event.retries) or self.forgetful or event.uuid in self._parked

    def _failed_first(self, event: Event, stamp: float, now: float) -> Entry | None:
        """Begin a task that no worker knows, which is the only one that fails before it is received."""
        name = unregistered(event.exception)
        if not name or event.uuid in self._parked:
            self._park(event, stamp, now)
            return None
        entry = self._tasks[event.uuid] = Entry(Task(uuid=event.uuid, name=name, seen=now))
        self._books.label(entry, event.hostname, now)
        return entry

    def _late(self, entry: Entry, stage: str, event: Event, stamp: float) -> Late:
        """Note a stage; what else it tells is for the caller to fold, where it is one of the newest execution."""
        in_turn = stage in STATE_OF and entry.rank < DONE and stamp >= entry.last
        if in_turn and not (entry.owed and stage == "retried") and not _was_earlier(entry, stage, event):
            finish(entry, stage, event, stamp)
            _tick(entry.task, event)
            return Late.NEWEST
        late = merge(entry, stage, stamp, event)
        if late is not Late.REPEATED:
            restate(entry)
            if late is Late.NEWEST:
                entry.task.updated = max(entry.task.updated, stamp)
        return late

    def _received_late(self, entry: Entry, event: Event, stamp: float, now: float) -> bool:
        """Fold a receipt that is not the first; whether it is to be counted."""
        task = entry.task
        retries = task.retries
        late = merge(entry, "received", stamp, event)
        if late is Late.REPEATED:
            return False
        if late is Late.NEWEST:
            ahead = _taken_ahead(entry) if entry.ahead else None
            if task.retries != retries or ahead is not None:
                self._relabel(entry, event.hostname, now)
            if ahead is not None:
                self._fill_sent(entry, *ahead, now)
            _describe(task, event, stamp)
        restate(entry)
        return True

    def _relabel(self, entry: Entry, worker: str, now: float) -> None:
        """Begin a message of its own: what was sent before is not what is received now."""
        if entry.held:
            self._books.settle(entry, worker, now)
        task = entry.task
        if entry.sent_by is not None:
            remember(entry, "sent", entry.sent_raw, entry.sent_by)
        entry.settled, entry.sent_by = False, None
        task.sent = task.eta = task.expires = task.wait = None

    def _fill_sent(self, entry: Entry, event: Event, stamp: float, now: float) -> None:
        task = entry.task
        entry.sent_raw, entry.sent_by = event.timestamp, event.hostname
        task.sent, task.client = stamp, event.hostname
        _describe(task, event, stamp)
        if not entry.settled:
            self._books.settle(entry, event.hostname, now)
        if entry.started_by is not None and task.started is not None and task.wait is None:
            self._books.waited(entry, entry.started_by, _wait(task, stamp, task.started), now)


def _was_earlier(entry: Entry, stage: str, event: Event) -> bool:
    return entry.earlier is not None and (stage, event.timestamp, event.hostname) in entry.earlier


def _knows_sent(entry: Entry, event: Event) -> bool:
    return taken(entry, "sent", event.timestamp, event.hostname) or any(
        (other.timestamp, other.hostname) == (event.timestamp, event.hostname) for other, _ in entry.ahead or ()
    )


def _keep_ahead(entry: Entry, event: Event, stamp: float) -> None:
    """Keep a task-sent until its execution is received; of two with the same retries the one told last."""
    retries, kept = event.retries or 0, []
    for other in entry.ahead or ():
        if (other[0].retries or 0) == retries:
            remember(entry, "sent", other[0].timestamp, other[0].hostname)
        else:
            kept.append(other)
    entry.ahead = [*kept[-_MOST_AHEAD:], (event, stamp)]


def _taken_ahead(entry: Entry) -> tuple[Event, float] | None:
    """Take the task-sent of the execution that is the newest now; those of earlier ones are past."""
    found, kept = None, []
    for other in entry.ahead or ():
        retries = other[0].retries or 0
        if retries == entry.task.retries:
            found = other
        elif retries > entry.task.retries:
            kept.append(other)
        else:
            remember(entry, "sent", other[0].timestamp, other[0].hostname)
    entry.ahead = kept or None
    return found


def _describe(task: Task, event: Event, stamp: float) -> None:
    """Take over what task-sent and task-received say of a task."""
    task.name = event.name or task.name
    task.args, task.kwargs = event.args, event.kwargs
    if event.queue:  # nightowl-instrument lets a worker say it; task-sent may be lost with its client
        task.queue, task.exchange, task.routing_key = event.queue, event.exchange or "", event.routing_key or ""
    task.root = event.root_id or ""
    if event.parent_id != event.uuid:  # a retry names itself
        task.parent = event.parent_id or ""
    if event.eta:
        task.eta = moment(event.eta)
    if event.expires:
        task.expires = moment(event.expires)
    _tick(task, event)
    if stamp > task.updated:  # noqa: PLR1730
        task.updated = stamp


def _tick(task: Task, event: Event) -> None:
    """Note the logical clock of the newest event; where most events pass, it is done without a call."""
    if event.clock is not None and 0 <= event.clock <= _LARGEST:
        task.clock = event.clock


def _wait(task: Task, sent: float, started: float) -> float:
    since = sent if task.eta is None else max(sent, task.eta)
    task.wait = wait = started - since if started > since else 0.0
    return wait


def _blame(task: Task, exception: str, event: Event) -> None:
    task.exception, task.error, task.traceback = exception, told(event.exception, event.traceback), event.traceback
    task.place = place(event.traceback)
