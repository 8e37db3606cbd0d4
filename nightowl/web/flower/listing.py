"""Which tasks a list of Flower's is to show, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from nightowl.core.cluster.flower_search import Query
from nightowl.core.cluster.task import Task, TaskFilter, TaskState
from nightowl.ports.clusters import TaskStore
from nightowl.web.flower.task_object import flower_state, task_object

MOST = 100_000
"""Tasks that a search or another order looks through: the newest of those that its filters let through.

It is how many Flower keeps unless told otherwise.
"""

LONGEST = 10_000
"""Tasks in one answer; ``offset`` leads to more. Also those that the store itself sorts: the newest."""

LATE = 3600.0
"""Seconds within which a task is seen after it was received."""

_NUMBERS = frozenset({"received", "started", "runtime", "timestamp"})


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. ``by`` is a field of a task object, empty: newest first.

    ``start`` and ``end`` bound ``received``; a task that was not received is within any bounds.
    """

    names: tuple[str, ...] | None = None
    states: tuple[str, ...] | None = None
    workers: tuple[str, ...] | None = None
    query: Query | None = None
    start: float | None = None
    end: float | None = None
    by: str = ""
    descending: bool = False
    offset: int = 0
    limit: int | None = None


class Listed(NamedTuple):
    """A part of a list; ``length`` is how long all of it is."""

    tasks: list[Task]
    length: int


def listed(store: TaskStore, cluster: str, wanted: Wanted, *, counted: bool = False) -> Listed:
    """Return the tasks that are asked for; with ``counted`` also how many there are without offset and limit."""
    limit = LONGEST if wanted.limit is None else max(0, min(wanted.limit, LONGEST))
    chosen = _filter(wanted)
    if chosen is None or (limit == 0 and not counted):
        return Listed([], 0)
    if not _is_sorted_there(wanted, limit):
        return _sought(store, cluster, wanted, chosen, limit)
    by = "updated" if wanted.by in ("", "timestamp") else wanted.by
    tasks = store.sorted_page(cluster, chosen, by=by, descending=True, offset=wanted.offset, limit=limit)
    return Listed(tasks, store.count(cluster, chosen, MOST) if counted else 0)


def _is_sorted_there(wanted: Wanted, limit: int) -> bool:
    """Whether the store's own order is Flower's: of the newest, newest first."""
    newest = not wanted.by or (wanted.descending and wanted.by in _NUMBERS)
    bound = wanted.query is not None or wanted.start is not None or wanted.end is not None
    return newest and not bound and wanted.offset + limit <= LONGEST


def _sought(store: TaskStore, cluster: str, wanted: Wanted, chosen: TaskFilter, limit: int) -> Listed:
    """Look through the newest tasks, and sort what is found. Only what is shown of it is kept whole."""
    key = _key(wanted.by)
    looked = islice(store.each(cluster, chosen), MOST)
    found = sorted(
        (key(task) for task in looked if _is_meant(task, wanted)), reverse=wanted.descending or not wanted.by
    )
    shown = [uuid for _, _, uuid in found[wanted.offset : wanted.offset + limit]]
    known = store.get(cluster, shown)
    return Listed([known[uuid] for uuid in shown if uuid in known], len(found))


def _is_meant(task: Task, wanted: Wanted) -> bool:
    received = task.received
    if received is not None and wanted.start is not None and received < wanted.start:
        return False
    if received is not None and wanted.end is not None and received > wanted.end:
        return False
    return wanted.query is None or wanted.query.matches(task)


def _filter(wanted: Wanted) -> TaskFilter | None:
    """What the store itself can tell apart; None: no task can be meant."""
    states = None if wanted.states is None else set(_stored(wanted.states))
    if wanted.query is not None and wanted.query.states:
        asked = set(_stored(wanted.query.states))
        states = asked if states is None else states & asked
    if wanted.names == () or wanted.workers == () or states == set():
        return None
    return TaskFilter(
        names=wanted.names or (),
        states=tuple(sorted(states or ())),
        workers=wanted.workers or (),
        end=None if wanted.end is None else wanted.end + LATE,
    )


def _stored(states: Any) -> Iterator[str]:
    """States as they are kept. Flower knows no lost task: it is one that was started."""
    known = {state.value for state in TaskState} - {TaskState.LOST.value}
    for state in states:
        if state.upper() in known:
            yield state.upper()
        if state.upper() == TaskState.STARTED.value:
            yield TaskState.LOST.value


def _key(by: str) -> Callable[[Task], tuple[bool, Any, str]]:
    """Sort as Flower does: what is not known first, texts without regard to case, the id last."""
    read = _READ.get(by) or (lambda task: task_object(task).get(by))
    is_number = by in _NUMBERS or not by

    def key(task: Task) -> tuple[bool, Any, str]:
        value = read(task)
        if value is None or value == "":
            return False, "", task.uuid
        return True, value if is_number else str(value).casefold(), task.uuid

    return key


_READ: Mapping[str, Callable[[Task], Any]] = {
    "": attrgetter("updated"),
    "timestamp": attrgetter("updated"),
    "state": flower_state,
    **{name: attrgetter(name) for name in ("name", "uuid", "worker", "received", "started", "runtime")},
}
"""How the fields are read that lists are mostly sorted by: to make a whole task object of each takes long."""
