"""One worker: how it is, what it consumes and what it has done."""

from __future__ import annotations

import msgspec

from nightowl.core.cluster.inspection import task_names
from nightowl.core.cluster.state import Worker
from nightowl.core.cluster.task import Task, TaskFilter
from nightowl.core.errors import NotFound
from nightowl.web.cluster_charts import SPANS, Chart, charts_of
from nightowl.web.cluster_head import ClusterHead, head, watched
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View

TASKS = 20
"""Its newest tasks that are listed."""


class WorkerPage(msgspec.Struct, frozen=True, kw_only=True):
    """A worker, its history and its newest tasks; ``totals`` is how many it executed since it started, most first.

    ``names`` are the tasks that it knows, ``queues`` those of the cluster.
    """

    head: ClusterHead
    worker: Worker
    tasks: tuple[Task, ...]
    totals: tuple[tuple[str, int], ...]
    names: tuple[str, ...]
    queues: tuple[str, ...]
    charts: tuple[Chart, ...]
    last: str
    spans: tuple[str, ...] = tuple(SPANS)


def build(ask: Ask) -> View:
    """Gather one worker."""
    settings, state = watched(ask)
    name = ask.path["worker"]
    worker = next((each for each in state.workers if each.name == name), None) if state else None
    if worker is None:
        raise NotFound(f"No worker of {settings.name} is called {name}, or it is long away.")
    last = ask.query.get("last", "")
    last = last if last in SPANS else "1h"
    page = ask.handlers.tasks.page(settings.name, TaskFilter(workers=(name,)), after=None, limit=TASKS)
    data = WorkerPage(
        head=head(settings, state, ask.unit.incidents.open(), ask.now),
        worker=worker,
        tasks=tuple(page.tasks),
        charts=charts_of(ask.unit.series, settings.name, last, ask.now).of_worker(name),
        last=last,
        totals=tuple(sorted(worker.totals, key=lambda each: (-each[1], each[0]))),
        names=task_names(worker.registered),
        queues=tuple(queue.name for queue in state.queues) if state else (),
    )
    return View(template="cluster/worker.html", title=name, data=data)


PAGE = Page(path="/clusters/{cluster}/workers/{worker:path}", build=build, restless=True)
