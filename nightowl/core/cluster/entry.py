"""A task while it is folded: what is known of its newest execution, and which events of it were taken in.

An event is the same as another of its task where type, sender's time and sender are the same. Those of the newest
execution are in slots (``started_raw``, ``started_by``); those of earlier ones in a list, as only few tasks have any.
"""

from __future__ import annotations

from enum import IntEnum
from math import inf

import msgspec

from nightowl.core.cluster.events import Event
from nightowl.core.cluster.figures import Cell
from nightowl.core.cluster.task import Task, TaskState
from nightowl.core.cluster.workers import TOLERANCE

QUEUED, RECEIVED, STARTED, DONE = range(4)
"""How far an execution is; done is what an end, a retry or a requeueing reject leaves behind."""

STAGES = ("received", "started", "succeeded", "failed", "retried", "revoked", "rejected")
"""What an execution goes through, in the order in which events of one moment are meant."""

REPEATED = 30.0
"""Seconds within which a worker says the same end of one execution a second time."""

_ORDER = {stage: number for number, stage in enumerate(STAGES)}
_ENDS = STAGES[2:]
_BEGUN_BEFORE = ({"received", "started"}, {"received", "rejected"})
"""What an execution holds whose receipt is the next one's, where that starts."""

_MOST_EARLIER = 64
_MOST_RETRIES = 1_000_000
STATE_OF = {
    "succeeded": TaskState.SUCCESS.value,
    "failed": TaskState.FAILURE.value,
    "retried": TaskState.RETRY.value,
    "revoked": TaskState.REVOKED.value,
    "rejected": TaskState.REJECTED.value,
}
"""The state that each end of an execution leaves behind."""

Seen = tuple[str, float, str]
"""An event that was taken in: stage, sender's time, sender."""


class Held(msgspec.Struct, gc=False):
    """A count that waits for its labels: of which stage, on which worker, with what value."""

    stage: int
    worker: str
    value: float | str | None


class Entry(msgspec.Struct, gc=False):
    """A task with what folding needs.

    ``rank`` is how far its execution is, ``last`` the newest time of its stages, ``edge`` that of earlier executions.
    ``label`` is the queue it is counted under and ``cell`` where it was counted last, once it is ``settled``; until
    then its counts are ``held``. ``ahead`` has the task-sents, with their times, of executions that are not received
    yet, ``pairs`` the ends that may be said twice. ``owed`` is how many retries were received before the task-retried
    of the execution before: a pool process sends the retry itself, and its worker often receives that first, on a busy
    machine several in a row. ``dirty`` is since when it waits to be written (0: it does not).
    """

    task: Task
    rank: int = QUEUED
    last: float = -inf
    edge: float = -inf
    label: str = ""
    settled: bool = False
    cell: Cell | None = None
    held: list[Held] | None = None
    ahead: list[tuple[Event, float]] | None = None
    requeued: bool = False
    owed: int = 0
    pairs: tuple[Seen, ...] = ()
    dirty: float = 0.0
    receipts: int = 0
    starts: int = 0
    earlier: list[Seen] | None = None
    sent_raw: float = 0.0
    sent_by: str | None = None
    received_raw: float = 0.0
    received_by: str | None = None
    started_raw: float = 0.0
    started_by: str | None = None
    succeeded_raw: float = 0.0
    succeeded_by: str | None = None
    failed_raw: float = 0.0
    failed_by: str | None = None
    retried_raw: float = 0.0
    retried_by: str | None = None
    revoked_raw: float = 0.0
    revoked_by: str | None = None
    rejected_raw: float = 0.0
    rejected_by: str | None = None


class Late(IntEnum):
    """What an event is that did not come in its turn."""

    REPEATED = 0
    EARLIER = 1
    NEWEST = 2


def restored(task: Task, now: float) -> Entry:
    """Go on with a task from the store."""
    receipts = task.executions - (task.received is None and task.started is not None)
    starts = task.executions - (task.started is None and task.received is not None)
    entry = Entry(task, label=task.queue, receipts=max(receipts, 0), starts=max(starts, 0))
    for stage in STAGES:
        time = getattr(task, stage)
        if time is not None and not (stage == "retried" and task.state != TaskState.RETRY):
            _note(entry, stage, time, task.worker)
            entry.last = max(entry.last, time)
    if task.sent is not None:
        entry.sent_raw, entry.sent_by = task.sent, task.client
    task.seen = task.seen or now
    requeued = task.rejected is not None and task.state == TaskState.PENDING
    entry.requeued, state = requeued, task.state
    restate(entry)
    if state == TaskState.LOST:
        task.state, entry.rank = state, DONE
    return entry


def taken(entry: Entry, stage: str, raw: float, by: str) -> bool:
    """Whether this very event was taken in before."""
    if getattr(entry, stage + "_by") == by and getattr(entry, stage + "_raw") == raw:
        return True
    return entry.earlier is not None and (stage, raw, by) in entry.earlier


def remember(entry: Entry, stage: str, raw: float, by: str) -> None:
    """Note an event that is none of the newest execution."""
    if entry.earlier is None:
        entry.earlier = []
    entry.earlier.append((stage, raw, by))
    if len(entry.earlier) > _MOST_EARLIER:
        del entry.earlier[0]


def says_again(entry: Entry, end: str, twin: str, event: Event) -> bool:
    """Whether a worker said the other half of this end a moment ago, and has not begun the task again between them."""
    raw, by = event.timestamp, event.hostname
    near = [
        (what, when) for what, when, who in entry.pairs if what == twin and who == by and abs(when - raw) <= REPEATED
    ]
    if (end, raw, by) not in entry.pairs:
        entry.pairs = (*entry.pairs[-9:], (end, raw, by))
    begins = (
        [when for stage, when, who in _all(entry) if who == by and stage in ("received", "started")] if near else []
    )
    return any(
        not any(min(when, raw) < begin < max(when, raw) for begin in begins)
        for _, when in near
        if when != raw or twin != end
    )


def merge(entry: Entry, stage: str, stamp: float, event: Event) -> Late:
    """Find where an event belongs that is not simply the next one, and note it.

    All stages of the newest execution and this event are put in order of time; each task-received behind anything, and
    each task-started behind a start or an end, begins another execution, and the last of these is now the newest one.
    Of two starts with nothing between, the receipt goes with the second: a busy worker may receive a retry before it
    tells of the start of the execution that sent it; and a start behind a reject has the receipt before that: a worker
    may receive again what it rejected before it tells so. When a task was retried last stays with it, whichever
    execution that ended.
    """
    late = _placed(entry, stage, stamp, event)
    if late is Late.EARLIER and stage == "retried":
        entry.owed = max(entry.owed - 1, 0)
        if entry.retried_by is None:
            entry.task.retried = max(entry.task.retried or stamp, stamp)
    return late


def _placed(entry: Entry, stage: str, stamp: float, event: Event) -> Late:
    task, raw, by = entry.task, event.timestamp, event.hostname
    if taken(entry, stage, raw, by):
        return Late.REPEATED
    retries = min(event.retries or 0, _MOST_RETRIES) if stage == "received" else task.retries
    if retries < task.retries or (retries == task.retries and _is_earlier(entry, stage, stamp, by)):
        remember(entry, stage, raw, by)
        return Late.EARLIER
    if stage == "retried" and entry.owed:
        remember(entry, stage, raw, by)
        return Late.EARLIER
    if retries > task.retries:
        _leave_behind(entry, stamp, by)
        task.retries = retries
    return _merged(entry, stage, stamp, raw, by)


def finish(entry: Entry, stage: str, event: Event, stamp: float) -> None:
    """Note an end that comes in its turn."""
    task = entry.task
    _note(entry, stage, event.timestamp, event.hostname)
    setattr(task, stage, stamp)
    entry.rank, entry.last = DONE, stamp
    task.worker = event.hostname
    task.state = TaskState.PENDING.value if entry.requeued else STATE_OF[stage]
    task.updated = max(task.updated, stamp)


def restate(entry: Entry) -> None:
    """Say in the task how far its newest execution is."""
    task = entry.task
    present = _present(entry)
    entry.last = max((getattr(task, stage) for stage in present), default=-inf)
    ends = [(getattr(task, stage), _ORDER[stage], stage) for stage in present if stage in _ENDS]
    if ends:
        newest, entry.rank = max(ends)[2], DONE
        requeued = newest == "rejected" and entry.requeued
        task.state = TaskState.PENDING.value if requeued else STATE_OF[newest]
    else:
        newest = present[-1] if present else ""
        entry.rank = STARTED if newest == "started" else RECEIVED if newest else QUEUED
        task.state = (TaskState.PENDING, TaskState.RECEIVED, TaskState.STARTED)[entry.rank].value
    if newest:
        task.worker = getattr(entry, newest + "_by")


def _leave_behind(entry: Entry, stamp: float, by: str) -> None:
    """Let all belong to the execution before that came before a retry was received by a worker."""
    left = []
    for stage in _present(entry):
        # The retry may be on a worker whose clock is slow by as much as is not corrected.
        slack = 0.0 if getattr(entry, stage + "_by") == by else TOLERANCE
        if getattr(entry.task, stage) < stamp + slack:
            left.append(stage)
    if left and not any(stage in _ENDS for stage in left):
        if entry.retried_by is not None and ("started" in left or entry.started_by is None):
            left.append("retried")
        else:
            entry.owed += 1
    for stage in left:
        _move_out(entry, stage)


def _merged(entry: Entry, stage: str, stamp: float, raw: float, by: str) -> Late:
    task = entry.task
    places = [(getattr(task, other), _ORDER[other], other, False) for other in _present(entry)]
    places.append((stamp, _ORDER[stage], stage, True))
    *before, newest = _executions(sorted(places))
    verdict = Late.NEWEST
    for execution in before:
        for time, _, other, is_new in execution:
            entry.edge = max(entry.edge, time)
            if is_new:
                verdict = Late.EARLIER
            else:
                _move_out(entry, other)
        if any(other == "retried" for _, _, other, _ in execution) and newest[0][2] != "received":
            task.retries += 1
    twins = [is_new for _, _, other, is_new in newest if other == stage]
    if verdict is Late.NEWEST and len(twins) == 2:
        if twins[1]:
            remember(entry, stage, getattr(entry, stage + "_raw"), getattr(entry, stage + "_by"))
        else:
            verdict = Late.EARLIER
    if verdict is Late.EARLIER:
        remember(entry, stage, raw, by)
    else:
        _note(entry, stage, raw, by)
        setattr(task, stage, stamp)
    return verdict


def _executions(
    places: list[tuple[float, int, str, bool]],
) -> list[list[tuple[float, int, str, bool]]]:
    found: list[list[tuple[float, int, str, bool]]] = [[]]
    for each in places:
        held = {stage for _, _, stage, _ in found[-1]}
        if (each[2] == "received" and held) or (each[2] == "started" and held - {"received"}):
            found.append([found[-1].pop(0)] if each[2] == "started" and held in _BEGUN_BEFORE else [])
        found[-1].append(each)
    return found


def _is_earlier(entry: Entry, stage: str, stamp: float, by: str) -> bool:
    """Whether it belongs to an execution before the newest; times of one clock are better compared than of two."""
    if stage != "received" and entry.received_by == by:
        return stamp < (entry.task.received or -inf)
    return stamp <= entry.edge


def _present(entry: Entry) -> list[str]:
    return [stage for stage in STAGES if getattr(entry, stage + "_by") is not None]


def _all(entry: Entry) -> list[Seen]:
    now = [(stage, getattr(entry, stage + "_raw"), getattr(entry, stage + "_by")) for stage in _present(entry)]
    return [*now, *(entry.earlier or ())]


def _note(entry: Entry, stage: str, raw: float, by: str) -> None:
    setattr(entry, stage + "_raw", raw)
    setattr(entry, stage + "_by", by)


def _move_out(entry: Entry, stage: str) -> None:
    """Let a stage belong to an earlier execution, with what only it told."""
    task = entry.task
    entry.edge = max(entry.edge, getattr(task, stage))
    remember(entry, stage, getattr(entry, stage + "_raw"), getattr(entry, stage + "_by"))
    setattr(entry, stage + "_by", None)
    if stage != "retried":
        setattr(task, stage, None)
    if stage == "started":
        task.wait = task.current = task.total = None
    elif stage == "succeeded":
        task.result = task.runtime = None
    elif stage in ("failed", "retried", "rejected"):
        task.exception = task.place = ""
        task.error = task.traceback = None
    if stage == "rejected":
        entry.requeued = False
