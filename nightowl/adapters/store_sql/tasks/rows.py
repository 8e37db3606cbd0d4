"""A task as a row: what it is looked for by in columns, the rest packed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from nightowl.adapters.store_sql.tasks.numbers import Numbers, clean
from nightowl.adapters.store_sql.tasks.schema import (
    CLIENT,
    EXCEPTION,
    EXCHANGE,
    NAME,
    PLACE,
    QUEUE,
    ROUTING_KEY,
    STATES,
    WORKER,
)
from nightowl.core.cluster.task import Task, TaskState
from nightowl.core.cluster.words import Texts

LONGEST = 65_536
"""Characters of a text; a longer one is cut."""

LONGEST_ID = 255
"""Characters of an id; a longer one is cut."""

CODES = {state.value: code for code, state in enumerate(STATES)}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FAILURE = TaskState.FAILURE.value
_LARGEST = 2**63 - 1


class Body(msgspec.Struct, array_like=True, gc=False):
    """What of a task is only read. Append only.

    Ids stand here where the columns do not say them, as they are no UUID in its usual form. ``own`` says that the task
    is its own root. Names are numbers.
    """

    uuid: str
    root: str
    own: bool
    parent: str
    group: str
    args: str | None
    kwargs: str | None
    result: str | None
    error: str | None
    traceback: str | None
    client: int
    exchange: int
    routing_key: int
    exception: int
    place: int
    retries: int
    executions: int
    clock: int
    eta: float | None
    expires: float | None
    sent: float | None
    received: float | None
    started: float | None
    succeeded: float | None
    failed: float | None
    retried: float | None
    revoked: float | None
    rejected: float | None
    runtime: float | None
    wait: float | None
    updated: float
    current: float | None
    total: float | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Body).decode


def key(text: str) -> tuple[bytes, str]:
    """The 16 bytes that an id is found by, and the text where these do not say it."""
    if _UUID.fullmatch(text):
        return bytes.fromhex(text.replace("-", "")), ""
    kept = clean(text[:LONGEST_ID])
    return blake2b(kept.encode(), digest_size=16).digest(), kept


def dashed(raw: bytes) -> str:
    """The UUID of these 16 bytes in its usual form."""
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def texts_of(body: bytes) -> Texts:
    """The texts by whose words a row is found."""
    found = _decode(body)
    return found.args, found.kwargs, found.result, found.error


def uuid_of(uuid: bytes, body: bytes) -> str:
    """The id of a task."""
    return _decode(body).uuid or dashed(uuid)


TEXTS = frozenset({"name", "state"})
"""What tasks are sorted by that is a text and a column; all else is a number in the body."""


def sort_values(numbers: Numbers, rows: Iterable[Any], by: str) -> dict[int, Any]:
    """What tasks are sorted by, by their ids: one of ``TEXTS``, or a number that may be unknown."""
    if by == "state":
        return {row.id: STATES[row.state].value for row in rows}
    if by == "name":
        found = {row.id: row.name for row in rows}
        names = numbers.names(found.values())
        return {id_: names[name] for id_, name in found.items()}
    return {row.id: getattr(_decode(row.body), by) for row in rows}


class Rows:
    """Makes rows (without an id, which comes first) of tasks of one cluster, and keeps the numbers of their names."""

    def __init__(self, numbers: Numbers, cluster: int, tasks: Sequence[Task]) -> None:
        self._cluster = cluster
        self._names = numbers.given(cluster, NAME, {task.name for task in tasks})
        self._workers = numbers.given(cluster, WORKER, {task.worker for task in tasks})
        self._clients = numbers.given(cluster, CLIENT, {task.client for task in tasks})
        self._queues = numbers.given(cluster, QUEUE, {task.queue for task in tasks})
        self._exchanges = numbers.given(cluster, EXCHANGE, {task.exchange for task in tasks})
        self._routing_keys = numbers.given(cluster, ROUTING_KEY, {task.routing_key for task in tasks})
        faulty = [task for task in tasks if task.exception or task.place or task.state == _FAILURE]
        self._exceptions = numbers.given(cluster, EXCEPTION, {task.exception for task in faulty})
        self._places = numbers.given(cluster, PLACE, {task.place for task in faulty})
        self._faults = numbers.faults(
            cluster,
            {(self._exceptions[task.exception], self._places[task.place], self._names[task.name]) for task in faulty},
        )

    def row(self, task: Task, uuid: bytes, kept: str) -> tuple[Any, ...]:
        """The columns behind the id."""
        root, root_kept = key(task.root) if task.root and task.root != task.uuid else (None, "")
        parent, parent_kept = key(task.parent) if task.parent else (None, "")
        name, exception, place = self._names[task.name], 0, 0
        fault, failed = None, None
        if task.exception or task.place or task.state == _FAILURE:
            exception, place = self._exceptions[task.exception], self._places[task.place]
            fault = self._faults[exception, place, name]
            if task.state == _FAILURE:
                failed = finite(task.updated if task.failed is None else task.failed)
        return (
            self._cluster,
            uuid,
            name,
            CODES.get(task.state, 0),
            self._workers[task.worker],
            self._queues[task.queue],
            fault,
            failed,
            root,
            parent,
            finite(task.seen),
            self._packed(task, (kept, root_kept, parent_kept), exception, place),
        )

    def _packed(self, task: Task, ids: tuple[str, str, str], exception: int, place: int) -> bytes:
        body = Body(
            ids[0],
            ids[1],
            task.root == task.uuid,
            ids[2],
            task.group[:LONGEST_ID],
            task.args,
            task.kwargs,
            task.result,
            task.error,
            task.traceback,
            self._clients[task.client],
            self._exchanges[task.exchange],
            self._routing_keys[task.routing_key],
            exception,
            place,
            task.retries,
            task.executions,
            task.clock,
            task.eta,
            task.expires,
            task.sent,
            task.received,
            task.started,
            task.succeeded,
            task.failed,
            task.retried,
            task.revoked,
            task.rejected,
            task.runtime,
            task.wait,
            task.updated,
            task.current,
            task.total,
        )
        try:
            packed = _encode(body)
        except (UnicodeEncodeError, OverflowError):
            packed = b""
        return packed if 0 < len(packed) <= LONGEST else _encode(_bounded(body))


def _bounded(body: Body) -> Body:
    for name in ("group", "args", "kwargs", "result", "error", "traceback"):
        text = getattr(body, name)
        if text is not None:
            setattr(body, name, clean(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"))
    for name in ("retries", "executions", "clock"):
        setattr(body, name, max(min(getattr(body, name), _LARGEST), -_LARGEST))
    return body


def finite(number: float) -> float:
    """The number, or the nearest one that every database can hold."""
    if -1e300 < number < 1e300:
        return number
    return 0.0 if math.isnan(number) else math.copysign(1e300, number)


class Reader:
    """Makes tasks of rows (all columns of ``TASKS``)."""

    def __init__(self, numbers: Numbers, rows: Sequence[Any]) -> None:
        self._bodies = [_decode(row.body) for row in rows]
        self._rows = rows
        self._names = numbers.names(_used(rows, self._bodies))

    def tasks(self) -> list[Task]:
        """The tasks, in the order of the rows."""
        return [_task(row, body, self._names) for row, body in zip(self._rows, self._bodies, strict=True)]


def _used(rows: Sequence[Any], bodies: Sequence[Body]) -> set[int]:
    used = {number for row in rows for number in (row.name, row.worker, row.queue)}
    for body in bodies:
        used.update((body.client, body.exchange, body.routing_key, body.exception, body.place))
    return used


def _task(row: Any, body: Body, names: Mapping[int, str]) -> Task:
    uuid = body.uuid or dashed(row.uuid)
    root = uuid if body.own else ""
    return Task(
        uuid=uuid,
        name=names[row.name],
        state=STATES[row.state].value,
        worker=names[row.worker],
        client=names[body.client],
        queue=names[row.queue],
        exchange=names[body.exchange],
        routing_key=names[body.routing_key],
        args=body.args,
        kwargs=body.kwargs,
        result=body.result,
        exception=names[body.exception],
        error=body.error,
        place=names[body.place],
        traceback=body.traceback,
        retries=body.retries,
        executions=body.executions,
        root=root if row.root is None else body.root or dashed(row.root),
        parent="" if row.parent is None else body.parent or dashed(row.parent),
        group=body.group,
        eta=body.eta,
        expires=body.expires,
        sent=body.sent,
        received=body.received,
        started=body.started,
        succeeded=body.succeeded,
        failed=body.failed,
        retried=body.retried,
        revoked=body.revoked,
        rejected=body.rejected,
        runtime=body.runtime,
        wait=body.wait,
        updated=body.updated,
        seen=row.seen,
        clock=body.clock,
        current=body.current,
        total=body.total,
    )
