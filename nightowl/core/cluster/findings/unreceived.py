"""Tasks that were sent and never received, though their queue has consumers and nothing ahead of them.

That they were sent is known from task-sent alone. It is judged only where all of this holds: they are due, and have not
expired; the broker says that nothing waits in the queue, or that all of it was sent later; no event was lost since; and
each consumer is a worker that is heard and sends events, for else one may have received them in silence.

What was sent before NightOwl purged the queue was deleted, and is not missed. Others may purge, too, and say nothing:
what is missed is told for as long as failures take to resolve, as nothing else may ever end it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from urllib.parse import quote

from nightowl.core.cluster.finding import shortened
from nightowl.core.cluster.findings.scene import Scene, Sign, due_since
from nightowl.core.cluster.state import Queue
from nightowl.core.cluster.task import Task
from nightowl.core.messages import in_words

HEARD = 60.0
"""Seconds within which a worker must have been heard."""

PURGING = 5.0
"""Seconds after a purge was written down within which its messages are gone, and were heard to be sent."""

_EXPIRING = 60.0
"""Seconds before it expires from which on a task is not waited for: its worker's clock may be ahead."""


def look(scene: Scene) -> Iterator[Sign]:
    """Yield pairs of a task's name and a queue."""
    queues = {queue.name: queue for queue in scene.state.queues}
    pairs: dict[tuple[str, str], list[Task]] = {}
    for task in scene.open.unreceived:
        if _is_missed(scene, task):
            pairs.setdefault((task.name, task.queue), []).append(task)
    for (name, queue), tasks in pairs.items():
        found = queues.get(queue)
        if found is not None and _is_watched(scene, found) and not scene.skips(name, queue):
            gone = [task for task in tasks if _is_not_waiting(scene, found, task)]
            if gone:
                yield _sign(scene, name, queue, gone)


def _is_missed(scene: Scene, task: Task) -> bool:
    """Whether its message was neither deleted nor has expired, and no event of it can have been lost."""
    kept = task.expires is None or task.expires - _EXPIRING > scene.now
    deleted = task.seen <= scene.purged.get(task.queue, -inf) + PURGING
    return kept and not deleted and due_since(task) > scene.memory.deaf


def _is_watched(scene: Scene, queue: Queue) -> bool:
    """Whether every consumer of a queue would be heard receiving."""
    workers = scene.consumers_of(queue.name)
    heard = all(worker.events_on is not False and scene.now - worker.heard <= HEARD for worker in workers)
    return bool(workers) and heard and (queue.consumers is None or 0 < queue.consumers <= len(workers))


def _is_not_waiting(scene: Scene, queue: Queue, task: Task) -> bool:
    if queue.ready == 0:
        return True
    waits = scene.now - due_since(task)
    return queue.ready is not None and queue.age is not None and queue.age + HEARD < waits


def _sign(scene: Scene, name: str, queue: str, tasks: Sequence[Task]) -> Sign:
    oldest = min(tasks, key=due_since)
    many = f"{len(tasks):,} tasks {name} were" if len(tasks) > 1 else f"task {name} was"
    return Sign(
        rest=shortened(f"{name}/{queue}"),
        sentence=f"{many} sent to queue {queue} and never received, the oldest for "
        f"{in_words(scene.now - due_since(oldest))}, though nothing waits there ahead",
        since=due_since(oldest) + scene.after,
        count=len(tasks),
        tally=f"{len(tasks):,} never received, the oldest for {in_words(scene.now - due_since(oldest))}",
        last=scene.now,
        task=name,
        queue=queue,
        uuid=oldest.uuid,
        page=f"tasks/{oldest.uuid}" if oldest.uuid else f"queues/{quote(queue, safe='')}",
    )
