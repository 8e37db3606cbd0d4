"""Workers that fell silent: down, and they have not said goodbye.

One that says goodbye was stopped, which is no finding. While the stream of events is away all workers are silent, and
nothing is known of any.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from nightowl.core.cluster.finding import shortened
from nightowl.core.cluster.findings.scene import Scene, Sign
from nightowl.core.messages import moment
from nightowl.core.values import Severity

NAME = "worker_silent"

SETTLE = 60.0
"""Seconds after a gap in which no worker begins to count as silent: its next heartbeat may be under way."""


def look(scene: Scene) -> Iterator[Sign]:
    """Yield the workers that are silent; that none is left is worse."""
    settled = scene.now - scene.memory.deaf > SETTLE
    alone = not any(worker.up for worker in scene.workers.values()) and (settled or _was_alone(scene))
    for worker in scene.workers.values():
        if worker.up or worker.goodbye or scene.skips(worker.name):
            continue
        last = "; no worker of the cluster is left" if alone else ""
        silent = worker.offline or worker.heard
        yield Sign(
            rest=shortened(worker.name),
            sentence=f"worker {worker.name} fell silent without saying goodbye; it was last heard at "
            f"{moment(worker.heard)}{last}",
            fires=settled and scene.now - silent >= scene.after,
            since=silent,
            severity=Severity.CRITICAL if alone else None,
            worker=worker.name,
            page=f"workers/{quote(worker.name, safe='')}",
        )


def _was_alone(scene: Scene) -> bool:
    """Whether it was told before the gap that no worker is left."""
    held = scene.memory.held.get(NAME, {}).values()
    return any(each.told is not None and each.told.severity is Severity.CRITICAL for each in held)
