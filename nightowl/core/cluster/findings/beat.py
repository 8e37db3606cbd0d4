"""Entries of a beat schedule that are late: a moment of theirs has passed, and they have not run since."""

from __future__ import annotations

from collections.abc import Iterator

from nightowl.core.cluster.finding import shortened
from nightowl.core.cluster.findings.scene import Scene, Sign
from nightowl.core.cluster.state import Due
from nightowl.core.messages import in_words, moment


def look(scene: Scene) -> Iterator[Sign]:
    """Yield the entries that are late by as much as is asked for."""
    for entry in scene.state.beat:
        late = entry.late if entry.enabled else None
        if late is not None and late >= scene.after and not scene.skips(entry.name, entry.task):
            yield _sign(entry, late, scene.now)


def _sign(entry: Due, late: float, now: float) -> Sign:
    last = f"; it ran last at {moment(entry.last)}" if entry.last else ""
    return Sign(
        rest=shortened(entry.name),
        sentence=f"beat entry {entry.name} ({entry.task}, {entry.schedule}) is late by {in_words(late)}{last}",
        since=now - late,
        count=entry.missed,
        tally=f"missed {entry.missed:,} time{'' if entry.missed == 1 else 's'}" if entry.missed else "",
        last=now,
        task=entry.task,
        queue=entry.queue,
        page="beat",
    )
