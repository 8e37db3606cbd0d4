"""The beat board: each scheduled entry, when it is due, when it ran last, and by how much it is late."""

from __future__ import annotations

import msgspec

from nightowl.core.cluster.state import Due
from nightowl.web.cluster_head import ClusterHead, head, watched
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View


class BeatBoard(msgspec.Struct, frozen=True, kw_only=True):
    """All entries: late ones first, then by when they are due. ``readable``: whether anything says what they are."""

    head: ClusterHead
    rows: tuple[Due, ...]
    readable: bool


def build(ask: Ask) -> View:
    """List the entries."""
    settings, state = watched(ask)
    rows = sorted(state.beat, key=lambda due: (-(due.late or 0.0), due.next or 0.0, due.name)) if state else []
    data = BeatBoard(
        head=head(settings, state, ask.unit.incidents.open(), ask.now),
        rows=tuple(rows),
        readable=bool(settings.app or settings.beat or rows),
    )
    return View(template="cluster/beat.html", title=f"Beat of {settings.name}", data=data)


PAGE = Page(path="/clusters/{cluster}/beat", build=build, restless=True)
