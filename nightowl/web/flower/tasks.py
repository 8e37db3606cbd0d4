"""``/api/tasks``, ``/api/task/types``, ``/api/task/info`` and ``/tasks/datatable``."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from nightowl.core.cluster.flower_search import Query, SyntaxMistake, parse
from nightowl.core.cluster.task import Task, TaskFilter
from nightowl.web.flower.answers import Failure
from nightowl.web.flower.face import Asked
from nightowl.web.flower.listing import MOST, Listed, Wanted, listed
from nightowl.web.flower.task_object import task_object

Data = Mapping[str, Any]

SORTS = ("name", "received", "started", "state")
MINUTE = "%Y-%m-%d %H:%M"
ALL = "All"
"""A filter that lets everything through."""

_COLUMNS = frozenset(task_object(Task(uuid="")))


def tasks(asked: Asked) -> Data:
    """``/api/tasks``: tasks by id, in the order that is asked for."""
    given = asked.arguments
    limit, offset = given.whole("limit"), given.whole("offset") or 0
    by = given.text("sort_by")
    if by and by.lstrip("-") not in SORTS:
        raise Failure(400, f"Invalid sort_by '{by}', expected one of {', '.join(SORTS)}")
    wanted = Wanted(
        names=_meant(given.text("taskname"), asked.tasks.names(asked.cluster.name)),
        workers=_meant(given.text("workername"), _workers(asked)),
        states=_meant(given.text("state"), [given.text("state")]),
        query=_query(given.text("search")),
        start=_moment(given.text("received_start")),
        end=_moment(given.text("received_end")),
        by=by.lstrip("-"),
        descending=by.startswith("-"),
        offset=max(offset, 0),
        limit=limit,
    )
    return {task.uuid: _row(each) for task, each in _objects(asked, listed(asked.tasks, asked.cluster.name, wanted))}


def types(asked: Asked) -> Data:
    """``/api/task/types``: the names of tasks that were seen."""
    return {"task-types": sorted(filter(None, asked.tasks.names(asked.cluster.name)))}


def info(asked: Asked) -> Data:
    """``/api/task/info``: one task."""
    task = asked.tasks.get(asked.cluster.name, [asked.subject]).get(asked.subject)
    if task is None:
        raise Failure(404, f"Unknown task '{asked.subject}'")
    return next(each for _, each in _objects(asked, Listed([task], 1)))


def datatable(asked: Asked) -> Data:
    """``/tasks/datatable``: a part of the list as the DataTables script of a page asks for it."""
    given = asked.arguments
    draw, start, length = (given.whole_needed(name) for name in ("draw", "start", "length"))
    column = given.whole_needed("order[0][column]")
    by = given.text(f"columns[{column}][data]")
    total = asked.tasks.count(asked.cluster.name, TaskFilter(), MOST)
    empty = {"draw": draw, "data": [], "recordsTotal": total, "recordsFiltered": 0}
    try:
        query = parse(given.text("search[value]"))
    except SyntaxMistake as mistake:
        return empty | {"searchError": str(mistake)}
    wanted = Wanted(
        query=query,
        by=by if by in _COLUMNS else "",
        descending=given.text("order[0][dir]") == "desc",
        offset=max(start, 0),
        limit=length,
    )
    part = listed(asked.tasks, asked.cluster.name, wanted, counted=True)
    return empty | {"data": [each for _, each in _objects(asked, part)], "recordsFiltered": part.length}


def _objects(asked: Asked, part: Listed) -> Iterable[tuple[Task, dict[str, Any]]]:
    """Tasks with what is shown of each."""
    children = asked.tasks.children(asked.cluster.name, [task.uuid for task in part.tasks])
    return ((task, task_object(task, children.get(task.uuid, ()))) for task in part.tasks)


def _row(shown: dict[str, Any]) -> dict[str, Any]:
    """A task in the list of the API, where a worker that is not known is left out."""
    return {key: value for key, value in shown.items() if key != "worker" or value is not None}


def _meant(given: str, known: Iterable[str]) -> tuple[str, ...] | None:
    """Those of the known names that a filter lets through, whatever their case; None: all there are."""
    if given in ("", ALL):
        return None
    return tuple(name for name in known if name.casefold() == given.casefold())


def _workers(asked: Asked) -> list[str]:
    """Names of workers: those that are there, and the very one that is asked for, which may be gone for long."""
    state, given = asked.state(), asked.arguments.text("workername")
    known = [worker.name for worker in state.workers] if state else []
    return known if given in known else [*known, given]


def _query(text: str) -> Query | None:
    try:
        return parse(text)
    except SyntaxMistake as mistake:
        raise Failure(400, data={"error": str(mistake)}) from None


def _moment(text: str) -> float | None:
    """A minute by this machine's clock, as Flower has it."""
    if not text:
        return None
    try:
        return time.mktime(datetime.strptime(text, MINUTE).timetuple())  # noqa: DTZ007 - local, so says the contract
    except (ValueError, OverflowError):
        raise Failure(400, "Invalid received_start or received_end, expected format 'YYYY-MM-DD HH:MM'") from None
