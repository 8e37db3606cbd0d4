"""One queue: how full it is, and was, who consumes it, and its newest tasks."""

from __future__ import annotations

import msgspec

from nightowl.core.cluster.state import Queue
from nightowl.core.cluster.task import Task, TaskFilter
from nightowl.core.errors import NotFound
from nightowl.web.cluster_charts import SPANS, Chart, charts_of
from nightowl.web.cluster_head import ClusterHead, head, watched
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View

TASKS = 20
"""Its newest tasks that are listed."""


class QueuePage(msgspec.Struct, frozen=True, kw_only=True):
    """A queue, the names of the workers that consume it, its history and its newest tasks."""

    head: ClusterHead
    queue: Queue
    workers: tuple[str, ...]
    chart: Chart
    age: Chart
    tasks: tuple[Task, ...]
    last: str
    spans: tuple[str, ...] = tuple(SPANS)


def build(ask: Ask) -> View:
    """Gather one queue."""
    settings, state = watched(ask)
    name = ask.path["queue"]
    queue = next((each for each in state.queues if each.name == name), None) if state else None
    if state is None or queue is None:
        raise NotFound(f"No queue of {settings.name} is called {name}, or nobody consumes it any more.")
    last = ask.query.get("last", "")
    last = last if last in SPANS else "1h"
    charts = charts_of(ask.unit.series, settings.name, last, ask.now)
    page = ask.handlers.tasks.page(settings.name, TaskFilter(queues=(name,)), after=None, limit=TASKS)
    data = QueuePage(
        head=head(settings, state, ask.unit.incidents.open(), ask.now),
        queue=queue,
        workers=tuple(worker.name for worker in state.workers if worker.up and name in worker.queues),
        chart=charts.depth_of(name),
        age=charts.age_of(name),
        tasks=tuple(page.tasks),
        last=last,
    )
    return View(template="cluster/queue.html", title=f"Queue {name}", data=data)


PAGE = Page(path="/clusters/{cluster}/queues/{queue:path}", build=build, restless=True)
