"""What stands above every page of a cluster: its name, how it is, and the pages that it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.cluster.standing import Word, standing
from nightowl.core.cluster.state import ClusterState
from nightowl.core.errors import NotFound
from nightowl.core.values import Incident, Severity
from nightowl.web.cluster_incidents import Tally, incidents_of, tallies
from nightowl.web.handlers import Handlers
from nightowl.web.page import Ask


class ClusterHead(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster in a word and a sentence. ``at`` is when its watcher wrote last (None: never).

    ``incidents`` says how many of its incidents are open.
    """

    name: str
    word: str
    sentence: str
    at: float | None
    controlled: bool
    incidents: tuple[Tally, ...] = ()


def watched(ask: Ask) -> tuple[ClusterSettings, ClusterState | None]:
    """Return the cluster of the path and how it was seen last. Raises ``NotFound``."""
    name = known(ask.handlers, ask.path["cluster"])
    return ask.handlers.clusters()[name], ask.handlers.tasks.state(name)


def known(handlers: Handlers, name: str) -> str:
    """Return the name of a cluster that is watched. Raises ``NotFound``."""
    if name not in handlers.clusters():
        raise NotFound(f"no cluster is called {name}")
    return name


def head(
    settings: ClusterSettings, state: ClusterState | None, incidents: Iterable[Incident], now: float
) -> ClusterHead:
    """Say how a cluster is; ``incidents`` are all that are open."""
    counted = tallies(incidents_of(settings.name, incidents))
    word, sentence = how_it_is(state, counted, now)
    return ClusterHead(
        name=settings.name,
        word=word,
        sentence=sentence,
        at=state.at if state else None,
        controlled=settings.control,
        incidents=counted,
    )


def all_heads(
    clusters: Mapping[str, ClusterSettings], states: Iterable[ClusterState], incidents: list[Incident], now: float
) -> list[ClusterHead]:
    """Say how each cluster is, by name; ``incidents`` are all that are open."""
    seen = {state.name: state for state in states}
    return [head(settings, seen.get(name), incidents, now) for name, settings in sorted(clusters.items())]


def how_it_is(state: ClusterState | None, incidents: Iterable[Tally], now: float) -> tuple[Word, str]:
    """Say it in a word and a sentence: one with a critical incident is not up, whatever its workers say."""
    word, sentence = standing(state, now)
    critical = any(each.severity is Severity.CRITICAL for each in incidents)
    return ("degraded" if critical and word == "up" else word), sentence
