"""A task, as it is kept: one row for each task id, folded from its events."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec


class TaskState(StrEnum):
    """Celery's states (https://docs.celeryq.dev/en/stable/reference/celery.states.html); ``LOST`` is NightOwl's own.

    Lost is a task whose worker went away with it, and of which nothing was heard since.
    """

    PENDING = "PENDING"
    RECEIVED = "RECEIVED"
    STARTED = "STARTED"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    RETRY = "RETRY"
    REVOKED = "REVOKED"
    REJECTED = "REJECTED"
    LOST = "LOST"


ENDED = frozenset({TaskState.SUCCESS, TaskState.FAILURE, TaskState.REVOKED, TaskState.REJECTED, TaskState.LOST})
"""States after which nothing more is expected."""


class Task(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """A task and its newest execution. Moments are Unix seconds, UTC; ``runtime`` and ``wait`` seconds.

    ``worker`` and ``client`` are node names. ``state`` is a ``TaskState``'s text. ``exception`` is the class as the
    code names it (``requests.exceptions.Timeout``), ``error`` the whole text, ``place`` the last line of the
    traceback's own code (``shop/tasks.py:31 in charge``). ``wait`` is from being sent (or due) to being started, known
    only where task-sent was seen. ``updated`` is the time of the newest event, ``seen`` when the first one was taken
    in. ``retries`` is that of the newest execution; ``executions`` counts them all. ``current`` of ``total`` is the
    progress that the task told last.
    """

    uuid: str
    name: str = ""
    state: str = TaskState.PENDING.value
    worker: str = ""
    client: str = ""
    queue: str = ""
    exchange: str = ""
    routing_key: str = ""
    args: str | None = None
    kwargs: str | None = None
    result: str | None = None
    exception: str = ""
    error: str | None = None
    place: str = ""
    traceback: str | None = None
    retries: int = 0
    executions: int = 0
    root: str = ""
    parent: str = ""
    group: str = ""
    eta: float | None = None
    expires: float | None = None
    sent: float | None = None
    received: float | None = None
    started: float | None = None
    succeeded: float | None = None
    failed: float | None = None
    retried: float | None = None
    revoked: float | None = None
    rejected: float | None = None
    runtime: float | None = None
    wait: float | None = None
    updated: float = 0.0
    seen: float = 0.0
    clock: int = 0
    current: float | None = None
    total: float | None = None


class TaskFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which tasks are asked for; empty: whichever.

    ``words`` are words that stand in the arguments, the result or the error, all of them, in any order; the last may
    end in ``*`` (what begins with it, from three letters on). ``root`` finds the root itself, too. ``start`` and
    ``end`` bound the moment of the first event that was taken in, in Unix seconds: ``(start, end]``.
    """

    names: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    exception: str = ""
    place: str = ""
    root: str = ""
    parent: str = ""
    words: tuple[str, ...] = ()
    start: float | None = None
    end: float | None = None


ORDERS = ("name", "state", "received", "started", "runtime", "wait", "updated")
"""What lists of tasks can be sorted by."""

SORTED = 10_000
"""Tasks, the newest of those asked for, that are sorted by something else."""


class Order(NamedTuple):
    """An order of lists, by one of ``ORDERS``: what is not known comes last, of equal ones the newest first."""

    by: str
    descending: bool = False


class TaskPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a list of tasks. ``after`` continues it (None: it ends here)."""

    tasks: list[Task]
    after: str | None


class Failures(msgspec.Struct, frozen=True, kw_only=True):
    """Failures of one task with one exception at one place: how many, since when, and the newest of them."""

    name: str
    exception: str
    place: str
    count: int
    first: float
    last: float
    uuid: str
