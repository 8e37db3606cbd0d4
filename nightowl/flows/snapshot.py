"""Snapshot: all that NightOwl knows now, as ``/metrics`` shows it, for sinks.

Clusters are there as their series, which are summed over workers. All samples bear the moment of the snapshot, as if
they had been scraped then.
"""

from __future__ import annotations

from collections.abc import Iterator

from nightowl.core.known import FRESH, known
from nightowl.core.values import Sample
from nightowl.ports import Store

_NARROW = ("_narrow_count", "_narrow_sum")


def snapshot(store: Store, at: float) -> list[Sample]:
    """Return what is known at ``at`` (Unix seconds). Raises ``Unavailable``."""
    with store.read() as unit:
        paused = {stored.name for stored in unit.checks.all() if stored.paused}
        states = [state for state in unit.rounds.states() if state.check not in paused]
        samples = unit.series.latest(at - FRESH)
        actors = [actor for actor in unit.actors.all() if at - actor.heard <= FRESH]
    return [Sample(sample.metric, sample.labels, at, sample.value) for sample in known(states, _shown(samples), actors)]


def _shown(samples: list[Sample]) -> Iterator[Sample]:
    """Leave out the narrow buckets of histograms, which are for NightOwl's own charts."""
    return (sample for sample in samples if not sample.metric.endswith(_NARROW))
