"""Which tasks are asked for, as ranges of indexes that are each in the order of lists."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any

from sqlalchemy import ColumnElement, Select, select

from nightowl.adapters.store_sql.tasks import places
from nightowl.adapters.store_sql.tasks.places import Span
from nightowl.adapters.store_sql.tasks.rows import CODES, finite, key
from nightowl.adapters.store_sql.tasks.schema import EXCEPTION, FAULTS, NAME, PLACE, QUEUE, TASKS, WORKER
from nightowl.adapters.store_sql.tasks.session import Session
from nightowl.core.cluster.task import TaskFilter
from nightowl.core.cluster.words import Wanted, wanted

_MOST = 32
"""Ranges that are read and merged; where there would be more, one that holds them all is read instead."""

Condition = Callable[[Any], ColumnElement[bool]]
"""A condition on the columns of tasks, wherever they come from."""


@dataclass(frozen=True, slots=True)
class Range:
    """Tasks that an index has next to one another, or that have these words, in the order of ids within a span.

    ``left`` are conditions that the index does not answer: they are tried on one task after another.
    """

    span: Span
    where: tuple[ColumnElement[bool], ...] = ()
    words: Wanted | None = None
    left: tuple[Condition, ...] = ()


def before(left: Iterable[Range], place: int) -> list[Range]:
    """What of ranges is older than a place."""
    return [replace(each, span=Span(each.span.first, min(each.span.last, place - 1))) for each in left]


def beyond(left: Iterable[Range], place: int) -> list[Range]:
    """What of ranges is newer than a place."""
    return [replace(each, span=Span(place + 1, each.span.last)) for each in left]


def ranges(session: Session, cluster: int, asked: TaskFilter) -> list[Range]:
    """The ranges that hold what is asked for; no task is in two of them."""
    numbers = _numbers(session, cluster, asked)
    if not all(numbers.values()):
        return []
    left: dict[str, Condition] = {column: _among(column, found) for column, found in numbers.items()}
    left |= _others(asked)
    if len(numbers.get("fault", ())) > _MOST:
        left["fault"] = lambda c: c.fault.in_(_faults(session, cluster, asked))
    first, last = places.of_cluster(cluster)
    span = Span(
        first if asked.start is None else places.first_of(first, asked.start),
        last if asked.end is None else places.until(first, asked.end),
    )
    return [
        Range(span, where, words, tuple(condition for name, condition in left.items() if name not in answered))
        for where, words, answered in _chosen(cluster, asked, numbers)
    ]


_Choice = tuple[tuple[ColumnElement[bool], ...], Wanted | None, Collection[str]]
"""What an index is asked, the words, and the names of the conditions that are answered by this."""


def _chosen(cluster: int, asked: TaskFilter, numbers: Mapping[str, Collection[int]]) -> list[_Choice]:
    """The index that most likely leaves least to be tried."""
    if words := wanted(asked.words):
        return [((), words, ())]
    if asked.root:
        uuid = key(asked.root)[0]
        itself = (TASKS.c.uuid == uuid, TASKS.c.cluster == cluster)
        return [((TASKS.c.root == uuid,), None, ("root",)), (itself, None, ("root",))]
    if asked.parent:
        return [((TASKS.c.parent == key(asked.parent)[0],), None, ("parent",))]
    for columns in (("fault",), ("name", "state"), ("worker",), ("state",)):
        if choices := _product(columns, numbers):
            return choices
    return [((), None, ())]


def _product(columns: tuple[str, ...], numbers: Mapping[str, Collection[int]]) -> list[_Choice]:
    """A range for each combination of numbers; none where nothing is asked of the first column, or there are many."""
    if columns[0] not in numbers:
        return []
    several = [numbers.get(column, range(len(CODES))) for column in columns]
    if prod(map(len, several)) > _MOST:
        return []
    return [
        (tuple(TASKS.c[column] == number for column, number in zip(columns, each, strict=True)), None, columns)
        for each in product(*several)
    ]


def _numbers(session: Session, cluster: int, asked: TaskFilter) -> dict[str, Collection[int]]:
    """For each column that is asked for, the numbers that may stand in it."""
    numbers: dict[str, Collection[int]] = {}
    for column, kind, names in (
        ("name", NAME, asked.names),
        ("worker", WORKER, asked.workers),
        ("queue", QUEUE, asked.queues),
    ):
        if names:
            found = session.numbers.found(cluster, kind, names)
            numbers[column] = {found[name] for name in names if name in found}
    if asked.states:
        numbers["state"] = {CODES[state] for state in asked.states if state in CODES}
    if asked.exception or asked.place:
        first = _faults(session, cluster, asked).limit(_MOST + 1)
        numbers["fault"] = set(session.connection.execute(first).scalars())
    return numbers


def _faults(session: Session, cluster: int, asked: TaskFilter) -> Select[Any]:
    query = select(FAULTS.c.id).where(FAULTS.c.cluster == cluster)
    for column, kind, name in ((FAULTS.c.exception, EXCEPTION, asked.exception), (FAULTS.c.place, PLACE, asked.place)):
        if name:
            query = query.where(column == session.numbers.found(cluster, kind, [name]).get(name, -1))
    return query


def _others(asked: TaskFilter) -> dict[str, Condition]:
    root, parent = key(asked.root)[0], key(asked.parent)[0]
    others: dict[str, Condition] = {}
    if asked.root:
        others["root"] = lambda c: (c.root == root) | (c.uuid == root)
    if asked.parent:
        others["parent"] = lambda c: c.parent == parent
    if (start := asked.start) is not None:
        others["start"] = lambda c: c.seen > finite(start)
    if (end := asked.end) is not None:
        others["end"] = lambda c: c.seen <= finite(end)
    return others


def _among(column: str, numbers: Collection[int]) -> Condition:
    return lambda c: c[column].in_(sorted(numbers))
