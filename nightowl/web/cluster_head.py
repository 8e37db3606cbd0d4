"""What stands above every page of a cluster: its name, how it is, and the pages that it has."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.cluster.standing import standing
from nightowl.core.cluster.state import ClusterState
from nightowl.core.errors import NotFound
from nightowl.web.handlers import Handlers
from nightowl.web.page import Ask


class ClusterHead(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster in a word and a sentence. ``at`` is when its watcher wrote last (None: never)."""

    name: str
    word: str
    sentence: str
    at: float | None
    controlled: bool


def watched(ask: Ask) -> tuple[ClusterSettings, ClusterState | None]:
    """Return the cluster of the path and how it was seen last. Raises ``NotFound``."""
    name = known(ask.handlers, ask.path["cluster"])
    return ask.handlers.clusters()[name], ask.handlers.tasks.state(name)


def known(handlers: Handlers, name: str) -> str:
    """Return the name of a cluster that is watched. Raises ``NotFound``."""
    if name not in handlers.clusters():
        raise NotFound(f"no cluster is called {name}")
    return name


def head(settings: ClusterSettings, state: ClusterState | None, now: float) -> ClusterHead:
    """Say how a cluster is."""
    word, sentence = standing(state, now)
    return ClusterHead(
        name=settings.name,
        word=word,
        sentence=sentence,
        at=state.at if state else None,
        controlled=settings.control,
    )


def all_heads(clusters: Mapping[str, ClusterSettings], states: list[ClusterState], now: float) -> list[ClusterHead]:
    """Say how each cluster is, by name."""
    seen = {state.name: state for state in states}
    return [head(settings, seen.get(name), now) for name, settings in sorted(clusters.items())]
