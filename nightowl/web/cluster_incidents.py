"""The open incidents of a cluster: what was found in it, and that its watcher does not hear it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from nightowl.core.telling import name_of
from nightowl.core.values import Incident, Severity


class Tally(msgspec.Struct, frozen=True):
    """How many incidents of a severity are open."""

    severity: Severity
    count: int


def incidents_of(cluster: str, incidents: Iterable[Incident]) -> list[Incident]:
    """Return those of a cluster, in their order."""
    mine = {("cluster", cluster), ("own", f"cluster/{cluster}")}
    return [incident for incident in incidents if name_of(incident) in mine]


def tallies(incidents: Iterable[Incident]) -> tuple[Tally, ...]:
    """Count by severity, the worst first."""
    counts = Counter(incident.severity for incident in incidents)
    return tuple(Tally(each, counts[each]) for each in sorted(counts, key=lambda each: -each.rank))
