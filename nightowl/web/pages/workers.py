"""The workers of a cluster."""

from __future__ import annotations

import msgspec

from nightowl.core.cluster.state import Worker
from nightowl.web.cluster_head import ClusterHead, head, watched
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View


class WorkerList(msgspec.Struct, frozen=True, kw_only=True):
    """All workers: those that are away first, then by name."""

    head: ClusterHead
    rows: tuple[Worker, ...]


def build(ask: Ask) -> View:
    """List the workers."""
    settings, state = watched(ask)
    rows = sorted(state.workers, key=lambda worker: (worker.up, worker.goodbye, worker.name)) if state else []
    data = WorkerList(head=head(settings, state, ask.unit.incidents.open(), ask.now), rows=tuple(rows))
    return View(template="cluster/workers.html", title=f"Workers of {settings.name}", data=data)


PAGE = Page(path="/clusters/{cluster}/workers", build=build, restless=True)
