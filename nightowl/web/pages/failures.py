"""Failures of a cluster's tasks, grouped by task, exception and place."""

from __future__ import annotations

import msgspec

from nightowl.core.cluster.task import Failures
from nightowl.web.cluster_head import ClusterHead, head, watched
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View

GROUPS = 200
"""Groups that are listed at most."""

SPANS = {"1h": 3600.0, "24h": 86400.0, "7d": 7 * 86400.0}
"""How far back the list may go, in seconds."""


class FailureList(msgspec.Struct, frozen=True, kw_only=True):
    """The groups, most failures first, of the time that ``last`` names."""

    head: ClusterHead
    rows: tuple[Failures, ...]
    last: str
    total: int
    spans: tuple[str, ...] = tuple(SPANS)


def build(ask: Ask) -> View:
    """List the groups."""
    settings, state = watched(ask)
    last = ask.query.get("last", "")
    last = last if last in SPANS else "24h"
    rows = ask.handlers.tasks.failures(settings.name, ask.now - SPANS[last], GROUPS)
    data = FailureList(
        head=head(settings, state, ask.unit.incidents.open(), ask.now),
        rows=tuple(rows),
        last=last,
        total=sum(row.count for row in rows),
    )
    return View(template="cluster/failures.html", title=f"Failures of {settings.name}", data=data)


PAGE = Page(path="/clusters/{cluster}/failures", build=build)
