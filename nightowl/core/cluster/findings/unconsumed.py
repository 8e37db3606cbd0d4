"""Queues that hold messages and have no consumer.

Where the broker does not tell its consumers, those count that workers say of themselves, once each worker that is up
was asked: one that was not may well be the consumer. Where no event is ever told, no worker is known either.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from nightowl.core.cluster.finding import shortened
from nightowl.core.cluster.findings.scene import Scene, Sign
from nightowl.core.cluster.state import Queue


def look(scene: Scene) -> Iterator[Sign]:
    """Yield the queues without a consumer."""
    for queue in scene.state.queues:
        ready, consumers = queue.ready or 0, _consumers(scene, queue)
        if ready and not consumers and not scene.skips(queue.name):
            yield Sign(
                rest=shortened(queue.name),
                fires=consumers is not None,  # a worker that has just come may consume it, and may not
                sentence=f"queue {queue.name} holds {ready:,} message{'' if ready == 1 else 's'} "
                "and no worker consumes it",
                queue=queue.name,
                page=f"queues/{quote(queue.name, safe='')}",
            )


def _consumers(scene: Scene, queue: Queue) -> int | None:
    """How many consumers a queue has (None: not known)."""
    if queue.consumers is not None:
        return queue.consumers
    if scene.state.silent:
        return None
    up = [worker for worker in scene.workers.values() if worker.up]
    if any(worker.inspected is None for worker in up):
        return None
    return len(scene.consumers_of(queue.name))
