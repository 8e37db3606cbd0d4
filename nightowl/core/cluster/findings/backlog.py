"""Queues whose backlog grows, with the time until it is drained, or never.

A queue is sampled every ten seconds. Its backlog grows where the last third of the samples lies above the first third
in whole, the least of the one above the most of the other by a tenth, and the median of the second third in between. A
queue that fills and is drained again does not, nor one that goes up and down. It ends once the queue is below half of
the floor, or is being drained within an hour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from urllib.parse import quote

from nightowl.core.cluster.finding import shortened
from nightowl.core.cluster.findings.memory import Level
from nightowl.core.cluster.findings.scene import Scene, Sign
from nightowl.core.cluster.state import Queue
from nightowl.core.messages import in_words

FLOOR = 100
"""Messages from which on a backlog is looked at."""

SOON = 3600.0
"""Seconds within which a backlog that is drained is none to worry about."""

EVERY = 10.0
"""Seconds between two samples at least; there are 60 of them within the time that is looked at."""

SAMPLES = 60

GROWTH = 1.1

MOST_QUEUES = 1000


def look(scene: Scene) -> Iterator[Sign]:
    """Sample the queues, and yield those that grow."""
    floor = scene.tuning.floor or FLOOR
    known = [queue for queue in scene.state.queues if queue.ready is not None][:MOST_QUEUES]
    levels = scene.memory.levels
    for name in levels.keys() - {queue.name for queue in known}:
        del levels[name]
    for queue in known:
        history = levels.setdefault(queue.name, [])
        _sample(history, queue.ready or 0, scene.now, max(EVERY, scene.after / SAMPLES), scene.after)
        if not scene.skips(queue.name) and (sign := _sign(queue, history, scene, floor)):
            yield sign


def _sample(history: list[Level], ready: int, now: float, every: float, span: float) -> None:
    while history and not now - span - every <= history[0].at <= now:
        del history[0]
    if not history or now - history[-1].at >= every:
        history.append(Level(now, ready))


def _sign(queue: Queue, history: Sequence[Level], scene: Scene, floor: int) -> Sign | None:
    ready = queue.ready or 0
    speed = _speed(history)
    drained = ready / -speed if speed < 0 else None
    if ready < floor / 2 or (drained is not None and drained < SOON):
        return None
    whole = scene.now - history[0].at >= scene.after * 0.9
    return Sign(
        rest=shortened(queue.name),
        sentence=f"queue {queue.name} holds {ready:,} messages, {_trend(queue, speed, drained)}",
        fires=whole and ready >= floor and _grows(history),
        since=history[0].at,
        queue=queue.name,
        page=f"queues/{quote(queue.name, safe='')}",
    )


def _grows(history: Sequence[Level]) -> bool:
    third = len(history) // 3
    if not third:
        return False
    before = max(level.ready for level in history[:third])
    between = median(level.ready for level in history[third:-third])
    after = min(level.ready for level in history[-third:])
    return before < between < after and after > before * GROWTH


def _speed(history: Sequence[Level]) -> float:
    """Messages a second by which the queue has grown lately: over the last third of the samples."""
    first, last = history[-max(2, len(history) // 3) :][0], history[-1]
    return (last.ready - first.ready) / (last.at - first.at) if last.at > first.at else 0.0


def _trend(queue: Queue, speed: float, drained: float | None) -> str:
    rates = "" if queue.rate_in is None else f": {queue.rate_in:.3g}/s in, {queue.rate_out or 0.0:.3g}/s out"
    if drained is not None:
        return f"falling by {-speed:.3g}/s{rates}; at that rate it is drained in {in_words(drained)}"
    return f"growing by {speed:.3g}/s{rates}; at that rate it is never drained"
