"""Entries of a beat schedule that are late, or were missed.

An entry that was missed is one until it has run again.
"""

from __future__ import annotations

from collections.abc import Iterator

from nightowl.core.cluster.finding import shortened
from nightowl.core.cluster.findings.memory import Missed
from nightowl.core.cluster.findings.scene import Scene, Sign
from nightowl.core.cluster.state import Due
from nightowl.core.messages import in_words, moment


def look(scene: Scene) -> Iterator[Sign]:
    """Yield the entries that are late or were missed."""
    known = scene.memory.beat
    entries = {entry.name: entry for entry in scene.state.beat if entry.enabled}
    for name in known.keys() - entries.keys():
        del known[name]
    for name, entry in entries.items():
        missed = _missed(known.setdefault(name, Missed(entry.missed)), entry, scene.now)
        late = (entry.late or 0.0) >= scene.after
        if (late or missed is not None) and not scene.skips(name, entry.task):
            yield _sign(entry, missed, scene.now, late=late)


def _missed(known: Missed, entry: Due, now: float) -> float | None:
    """Since when an entry counts as missed (None: it does not)."""
    if entry.missed > known.missed:
        known.since, known.last = known.since or now, entry.last
    elif known.since is not None and entry.last is not None and entry.last > (known.last or 0.0):
        known.since = None
    known.missed = entry.missed
    return known.since


def _sign(entry: Due, missed: float | None, now: float, *, late: bool) -> Sign:
    last = f"; it ran last at {moment(entry.last)}" if entry.last else ""
    what = f"is late by {in_words(entry.late or 0.0)}" if late else "was missed"
    return Sign(
        rest=shortened(entry.name),
        sentence=f"beat entry {entry.name} ({entry.task}, {entry.schedule}) {what}{last}",
        since=missed if missed is not None else now - (entry.late or 0.0),
        count=entry.missed,
        tally=f"missed {entry.missed:,} time{'' if entry.missed == 1 else 's'}" if entry.missed else "",
        last=now,
        task=entry.task,
        queue=entry.queue,
        page="beat",
    )
