"""What can be seen of a cluster, what cannot, and what would mend that."""

from __future__ import annotations

import msgspec

from nightowl.core.cluster.events import Gap
from nightowl.core.cluster.state import Broker
from nightowl.web.cluster_head import ClusterHead, head, watched
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View

WEEK = 7 * 86400.0


class Visibility(msgspec.Struct, frozen=True, kw_only=True):
    """What is missing, in sentences, and the gaps of the last week, newest first."""

    head: ClusterHead
    missing: tuple[str, ...]
    gaps: tuple[Gap, ...]
    broker: Broker | None
    events: int
    refused: int


def build(ask: Ask) -> View:
    """Gather what is missing."""
    settings, state = watched(ask)
    gaps = ask.handlers.tasks.gaps(settings.name, ask.now - WEEK, ask.now)
    data = Visibility(
        head=head(settings, state, ask.unit.incidents.open(), ask.now),
        missing=state.missing if state else (),
        gaps=tuple(reversed(gaps)),
        broker=state.broker if state else None,
        events=state.events if state else 0,
        refused=state.refused if state else 0,
    )
    return View(template="cluster/visibility.html", title=f"What can be seen of {settings.name}", data=data)


PAGE = Page(path="/clusters/{cluster}/visibility", build=build, restless=True)
