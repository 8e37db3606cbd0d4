"""The queues of a cluster."""

from __future__ import annotations

import msgspec

from nightowl.core.cluster.state import Broker, Queue
from nightowl.web.cluster_charts import SPANS, Chart, charts_of
from nightowl.web.cluster_head import ClusterHead, head, watched
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View


class QueueList(msgspec.Struct, frozen=True, kw_only=True):
    """All queues, the fullest first, and the broker that holds them."""

    head: ClusterHead
    rows: tuple[Queue, ...]
    broker: Broker | None
    chart: Chart
    last: str
    spans: tuple[str, ...] = tuple(SPANS)


def build(ask: Ask) -> View:
    """List the queues."""
    settings, state = watched(ask)
    last = ask.query.get("last", "")
    last = last if last in SPANS else "1h"
    rows = sorted(state.queues, key=lambda queue: (-(queue.ready or 0), queue.name)) if state else []
    data = QueueList(
        head=head(settings, state, ask.unit.incidents.open(), ask.now),
        rows=tuple(rows),
        broker=state.broker if state else None,
        chart=charts_of(ask.unit.series, settings.name, last, ask.now).depths(),
        last=last,
    )
    return View(template="cluster/queues.html", title=f"Queues of {settings.name}", data=data)


PAGE = Page(path="/clusters/{cluster}/queues", build=build, restless=True)
