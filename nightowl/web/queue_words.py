"""Queues in words."""

from __future__ import annotations

from nightowl.core.cluster.state import Queue
from nightowl.web.words import span

LEAST = 0.01
"""Messages a second below which nothing moves."""


def drained(queue: Queue) -> str:
    """When a queue will be empty, as it moves now: ``in 4 min``, ``never``; a dash where that is not known."""
    if queue.ready is None or queue.rate_in is None or queue.rate_out is None:
        return "–"  # noqa: RUF001  # an en dash is what a table shows for nothing
    if not queue.ready:
        return "empty"
    down = queue.rate_out - queue.rate_in
    return f"in {span(queue.ready / down)}" if down > LEAST else "never"
