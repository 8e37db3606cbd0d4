"""Received minus finished does not return to zero: tasks vanish between two stages of their life.

By name of task, each minute, those are counted that were received, are due, and have not finished. Two shapes of the
last half hour count. *Rising*: the least of the last third exceeds the most of the first third, by 10 and by half,
while no more tasks end than before: with more traffic more are under way. *Standing*: some are left, not one has ended
in all the time, and the worker that has received the first of them runs nothing.

Tasks that wait for their ETA were received and are not due; they do not count, nor does what was sent only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nightowl.core.cluster.finding import shortened
from nightowl.core.cluster.findings.memory import Memory, Stage
from nightowl.core.cluster.findings.scene import Scene, Sign
from nightowl.core.messages import in_words

SAMPLES = 30

RISE = 10
"""Tasks by which the difference must have risen."""

_BY_HALF = 1.5
_MORE_TRAFFIC = 1.2
MOST_NAMES = 1000


def observe(memory: Memory, ended: dict[str, int]) -> None:
    """Take in how many tasks have ended, by name."""
    for name, count in ended.items():
        if name in memory.stages:
            memory.ended[name] = memory.ended.get(name, 0) + count


def look(scene: Scene) -> Iterator[Sign]:
    """Sample the differences, and yield those that do not return to zero."""
    memory, received = scene.memory, scene.open.received
    for name in [name for name in memory.stages if not received[name]]:
        del memory.stages[name]  # it has returned to zero
        memory.ended.pop(name, None)
    for name, count in received.most_common(MOST_NAMES):
        history = memory.stages.setdefault(name, [])
        _sample(memory, history, name, count, scene)
        if not scene.skips(name) and (sign := _sign(scene, name, history)):
            yield sign


def _sample(memory: Memory, history: list[Stage], name: str, count: int, scene: Scene) -> None:
    every = scene.after / SAMPLES
    while history and not scene.now - scene.after - every <= history[0].at <= scene.now:
        del history[0]
    if not history or scene.now - history[-1].at >= every:
        history.append(Stage(scene.now, count, memory.ended.pop(name, 0)))


def _sign(scene: Scene, name: str, history: Sequence[Stage]) -> Sign | None:
    whole = scene.now - history[0].at >= scene.after * 0.9 and history[0].at > scene.memory.deaf
    rises, stands = _rises(history), _stands(scene, name, history)
    half = 2 * history[-1].open > max(stage.open for stage in history)
    ended = sum(stage.ended for stage in history[1:])
    if not (rises or stands or half):
        return None
    return Sign(
        rest=shortened(name),
        sentence=f"task {name}: received minus finished does not return to zero: it was {history[0].open:,} and is "
        f"{history[-1].open:,}, while {ended:,} ended in {in_words(scene.now - history[0].at)}",
        fires=whole and (rises or stands),
        since=history[0].at,
        task=name,
        page=f"tasks/{scene.open.idle[name].uuid}" if name in scene.open.idle else "tasks",
    )


def _rises(history: Sequence[Stage]) -> bool:
    third = len(history) // 3
    if third < 2:
        return False
    first, last = history[:third], history[-third:]
    before, after = max(stage.open for stage in first), min(stage.open for stage in last)
    ended_before, ended_after = sum(stage.ended for stage in first), sum(stage.ended for stage in last)
    risen = after >= before + RISE and after >= before * _BY_HALF
    return risen and ended_after <= max(1.0, ended_before) * _MORE_TRAFFIC


def _stands(scene: Scene, name: str, history: Sequence[Stage]) -> bool:
    first = scene.open.idle.get(name)
    if first is None or scene.now - first.seen < scene.after or any(stage.ended for stage in history[1:]):
        return False
    worker = scene.workers.get(first.worker)
    return worker is not None and worker.up and bool(worker.processed) and worker.active == 0
