"""Tasks in words and shapes."""

from __future__ import annotations

import msgspec

from nightowl.core.cluster.task import Task, TaskState
from nightowl.core.cluster.workflow import begin, ended
from nightowl.web.words import clock, day, exact_clock, took

SHAPES = {
    TaskState.PENDING: "new",
    TaskState.RECEIVED: "new",
    TaskState.STARTED: "running",
    TaskState.SUCCESS: "up",
    TaskState.FAILURE: "down",
    TaskState.RETRY: "degraded",
    TaskState.REVOKED: "paused",
    TaskState.REJECTED: "paused",
    TaskState.LOST: "down",
}
"""The shape that goes with each state."""

WORDS = {
    TaskState.PENDING: "sent",
    TaskState.RECEIVED: "received",
    TaskState.STARTED: "started",
    TaskState.SUCCESS: "succeeded",
    TaskState.FAILURE: "failed",
    TaskState.RETRY: "retried",
    TaskState.REVOKED: "revoked",
    TaskState.REJECTED: "rejected",
    TaskState.LOST: "lost",
}
"""The word that people read for each state; the state itself is Celery's."""


CLOSE = 10.0
"""Seconds between two stages below which their times are told to the millisecond."""


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A moment in the life of a task, and the seconds since the one before it (None: it is the first).

    ``clock`` is its time of day, ``date`` its date where the one before has another (empty: the same).
    """

    word: str
    at: float
    after: float | None
    date: str
    clock: str


def shape(state: str) -> str:
    """The shape of a state; of one that nobody foresaw, that of what is not known."""
    return SHAPES.get(TaskState(state), "unknown") if state in list(TaskState) else "unknown"


def word(state: str) -> str:
    """The word of a state."""
    return WORDS[TaskState(state)] if state in list(TaskState) else state


def spent(task: Task) -> float | None:
    """Seconds that a task ran: as its worker told, else from its start to its end (None: not known)."""
    end = ended(task)
    if task.runtime is not None or task.started is None or end is None:
        return task.runtime
    return max(0.0, end - task.started)


def stages(task: Task) -> list[Stage]:
    """What is known of the newest execution, in the order of time."""
    known = [
        ("sent", task.sent),
        ("due", task.eta),
        ("received", task.received),
        ("started", task.started),
        ("retried", task.retried),
        ("succeeded", task.succeeded),
        ("failed", task.failed),
        ("revoked", task.revoked),
        ("rejected", task.rejected),
    ]
    found = sorted(((word, at) for word, at in known if at is not None), key=lambda each: each[1])
    before: list[float | None] = [None, *(at for _, at in found)]
    close = any(last is not None and at - last < CLOSE for (_, at), last in zip(found, before, strict=False))
    tell = exact_clock if close else clock
    return [_stage(word, at, last, tell(at)) for (word, at), last in zip(found, before, strict=False)]


def _stage(word: str, at: float, last: float | None, told: str) -> Stage:
    date = day(int(at // 86400))
    is_new = last is None or day(int(last // 86400)) != date
    return Stage(word=word, at=at, after=None if last is None else at - last, date=date if is_new else "", clock=told)


def sentence(task: Task, now: float) -> str:
    """How a task is, in a sentence."""
    told = word(task.state)
    if task.state == TaskState.LOST:
        return f"Lost: {task.worker} went away with it, and nothing was heard of it since."
    if task.state == TaskState.FAILURE:
        return f"Failed: {task.error or task.exception or 'without a reason'}"
    if task.state == TaskState.RETRY:
        return f"To be tried again after {task.error or task.exception or 'a failure'}"
    if task.state == TaskState.STARTED and task.started is not None:
        return f"Running for {took(max(0.0, now - task.started))}{f' on {task.worker}' if task.worker else ''}."
    end = ended(task)
    if end is not None:
        ran = spent(task)
        lasted = f" in {took(ran)}" if ran is not None else ""
        return f"{told.capitalize()}{lasted}{f' on {task.worker}' if task.worker else ''}."
    return f"{told.capitalize()}, waiting for {took(max(0.0, now - begin(task)))}."
