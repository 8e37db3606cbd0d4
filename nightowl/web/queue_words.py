"""Queues in words."""

from __future__ import annotations

from nightowl.core.cluster.rates import NEVER, drain_time
from nightowl.core.cluster.state import Queue
from nightowl.web.words import span


def drained(queue: Queue) -> str:
    """When a queue will be empty, as it moves now: ``in 4 min``, ``never``; a dash where that is not known."""
    seconds = drain_time(queue)
    if seconds is None:
        return "–"  # noqa: RUF001  # an en dash is what a table shows for nothing
    if not seconds:
        return "empty"
    return "never" if seconds == NEVER else f"in {span(seconds)}"
