"""Tasks of a cluster, newest first or in another order; filter and order are in the address."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec

from nightowl.core.cluster.task import SORTED, Task, TaskFilter, TaskState
from nightowl.core.cluster.task_names import meant
from nightowl.web.cluster_head import ClusterHead, head, watched
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View
from nightowl.web.wanted import Unanswerable, moment, order

ROWS = 50
"""Tasks on one page."""

NAMES = 500
"""Names that are proposed at most."""

COUNTED = SORTED
"""Tasks up to which their number is told."""

SORTS = {
    "": "newest first",
    "-runtime": "slowest first",
    "-wait": "longest waited first",
    "-updated": "last changed first",
    "name": "by name",
    "state": "by state",
}
"""Orders that are proposed; an address may ask for others."""

KEYS = ("name", "state", "worker", "queue", "text", "exception", "place", "from", "to")


class TaskList(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the list. ``after`` is where the next part begins, ``asked`` what the address says.

    ``count`` is how many tasks there are, counted up to ``COUNTED``; ``sort`` the order (empty: newest first).
    """

    head: ClusterHead
    rows: tuple[Task, ...]
    after: str | None
    count: int
    asked: dict[str, str]
    sort: str
    first: bool
    names: tuple[str, ...]
    workers: tuple[str, ...]
    queues: tuple[str, ...]
    states: tuple[str, ...] = tuple(TaskState)
    most: int = COUNTED

    @property
    def sorts(self) -> dict[str, str]:
        """Orders to choose from, with the one that is asked for."""
        return SORTS | {self.sort: SORTS.get(self.sort, f"by {self.sort}")}

    @property
    def filtered(self) -> bool:
        """Whether the address asks for some of the tasks only."""
        return any(self.asked.values())

    def link(self, **changed: str) -> str:
        """The query of this list with some of it changed, at its beginning."""
        query = {key: value for key, value in {**self.asked, "sort": self.sort, **changed}.items() if value}
        return f"?{urlencode(query)}" if query else "?"


def build(ask: Ask) -> View:
    """Find the part that is asked for."""
    settings, state = watched(ask)
    asked = {key: ask.query.get(key, "").strip() for key in KEYS}
    tasks = ask.handlers.tasks
    names = tasks.names(settings.name)
    wanted = filter_of(asked, names)
    sort, after = ask.query.get("sort", "").strip(), ask.query.get("after") or None
    try:
        page = tasks.page(settings.name, wanted, after=after, limit=ROWS, order=order("sort", sort))
    except ValueError:
        raise Unanswerable("after: not what a page of this list gave.") from None
    data = TaskList(
        head=head(settings, state, ask.unit.incidents.open(), ask.now),
        rows=tuple(page.tasks),
        after=page.after,
        count=tasks.count(settings.name, wanted, COUNTED),
        asked=asked,
        sort=sort,
        first=after is None,
        names=tuple(names[:NAMES]),
        workers=tuple(worker.name for worker in state.workers) if state else (),
        queues=tuple(queue.name for queue in state.queues) if state else (),
    )
    return View(template="cluster/tasks.html", title=f"Tasks of {settings.name}", data=data)


def filter_of(asked: dict[str, str], names: Sequence[str]) -> TaskFilter:
    """What an address asks for, where tasks have these names. Raises ``Unanswerable``."""
    state = asked["state"].upper()
    if state and state not in list(TaskState):
        raise Unanswerable(f'state: found "{state[:40]}", allowed is one of {", ".join(TaskState)}.')
    one = {key: (asked[key],) if asked[key] else () for key in ("worker", "queue")}
    return TaskFilter(
        names=meant(asked["name"], names) if asked["name"] else (),
        states=(state,) if state else (),
        workers=one["worker"],
        queues=one["queue"],
        exception=asked["exception"],
        place=asked["place"],
        words=tuple(asked["text"].split()),
        start=moment("from", asked["from"]),
        end=moment("to", asked["to"]),
    )


PAGE = Page(path="/clusters/{cluster}/tasks", build=build, restless=True)
