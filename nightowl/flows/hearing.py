"""Until when a cluster's events have been heard, for those who draw conclusions from their absence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

import msgspec

from nightowl.core.errors import Unavailable
from nightowl.core.runs import Span
from nightowl.ports.clusters import TaskStore

PATIENCE = 15.0
"""Seconds without a word from a watcher after which nobody listens."""

UNSURE = 5.0
"""Seconds before its last word, or before a gap, of which a watcher may not have told everything.

Events take their time, and tasks that still run are handed over some seconds late.
"""


class Hearing(msgspec.Struct, frozen=True, kw_only=True):
    """Events are heard ``until`` this moment (0: never yet), but for those in the ``gaps``, in Unix seconds."""

    until: float
    gaps: tuple[Span, ...] = ()


Ears = Callable[[str, float], Hearing | None]
"""From a cluster and a moment to what has been heard of it since then (None: that cannot be told now)."""


def ears(store: TaskStore) -> Ears:
    """Know it from what watchers store. While one cannot read events, nothing can be told: a gap may come of it."""

    def of(cluster: str, since: float) -> Hearing | None:
        try:
            state = store.state(cluster)
            gaps = store.gaps(cluster, since, inf)
        except Unavailable:
            return None
        if state is None:
            return Hearing(until=0.0)
        spans = tuple((gap.start - UNSURE, gap.end) for gap in gaps)
        return None if state.fault or state.silent else Hearing(until=state.at, gaps=spans)

    return of


def deafness(hearing: Hearing | None, due: float, until: float, now: float) -> tuple[Sequence[Span], float]:
    """Return when nothing could be heard, and until when (at most ``until``) absence can be judged.

    ``due`` is what it is asked for: while nothing can be told, that is waited for as for a watcher.
    """
    if hearing is None:
        return [(due - UNSURE, inf)], until if now - due > PATIENCE else due - UNSURE
    if now - hearing.until <= PATIENCE:
        return hearing.gaps, min(until, hearing.until - UNSURE)
    return [*hearing.gaps, (max(0.0, hearing.until - UNSURE), inf)], until
