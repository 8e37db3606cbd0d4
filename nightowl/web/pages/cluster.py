"""A cluster: how it is, its rates, times and depths, and what fails most and takes longest."""

from __future__ import annotations

import msgspec

from nightowl.core.cluster.state import Broker, Queue, Worker
from nightowl.core.values import Incident
from nightowl.web.cluster_charts import SPANS, Chart, OfTask
from nightowl.web.cluster_head import ClusterHead, head, watched
from nightowl.web.cluster_history import History, history
from nightowl.web.cluster_incidents import incidents_of
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View

ROWS = 8
"""Rows of each short list."""

INCIDENTS = 50
"""Open incidents that are shown at most, the worst."""


class ClusterPage(msgspec.Struct, frozen=True, kw_only=True):
    """All that the page shows, of the span that ``last`` names."""

    head: ClusterHead
    last: str
    incidents: tuple[Incident, ...]
    charts: tuple[Chart, ...]
    workers: tuple[Worker, ...]
    queues: tuple[Queue, ...]
    broker: Broker | None
    failing: tuple[OfTask, ...]
    slow: tuple[OfTask, ...]
    ran: int
    failed: int
    more_incidents: int
    more_workers: int
    more_queues: int
    spans: tuple[str, ...] = tuple(SPANS)


def build(ask: Ask) -> View:
    """Gather the overview."""
    settings, state = watched(ask)
    last = ask.query.get("last", "")
    last = last if last in SPANS else "1h"
    handlers = ask.handlers

    def gather() -> History:
        return history(ask.unit.series, handlers.tasks, settings.name, last, ask.now)

    done = handlers.histories.get(settings.name, last, handlers.clock, gather)
    incidents = incidents_of(settings.name, ask.unit.incidents.open())
    workers = sorted(state.workers, key=lambda worker: (worker.up, worker.name)) if state else []
    queues = sorted(state.queues, key=lambda queue: (-(queue.ready or 0), queue.name)) if state else []
    data = ClusterPage(
        head=head(settings, state, ask.unit.incidents.open(), ask.now),
        last=last,
        incidents=tuple(incidents[:INCIDENTS]),
        charts=done.charts,
        workers=tuple(workers[:ROWS]),
        queues=tuple(queues[:ROWS]),
        broker=state.broker if state else None,
        failing=done.failing,
        slow=done.slow,
        ran=done.ran,
        failed=done.failed,
        more_incidents=max(0, len(incidents) - INCIDENTS),
        more_workers=max(0, len(workers) - ROWS),
        more_queues=max(0, len(queues) - ROWS),
    )
    return View(template="cluster/overview.html", title=settings.name, data=data)


PAGE = Page(path="/clusters/{cluster}", build=build, restless=True)
