"""Clusters: the Celery installations that are watched, and how each is."""

from __future__ import annotations

import msgspec

from nightowl.web.cluster_head import ClusterHead, all_heads
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View


class ClusterList(msgspec.Struct, frozen=True, kw_only=True):
    """All clusters, by name."""

    rows: tuple[ClusterHead, ...]


def build(ask: Ask) -> View:
    """List the clusters."""
    rows = all_heads(ask.handlers.clusters(), ask.handlers.tasks.states(), ask.unit.incidents.open(), ask.now)
    return View(template="clusters.html", title="Clusters", data=ClusterList(rows=tuple(rows)))


PAGE = Page(path="/clusters", build=build, restless=True)
