"""Director time, as an actor learns it from the batches that reach it.

An actor's clock may be minutes off, so deadlines are never judged by it. Each batch carries the moment at which the
director issued it; that is at most the director's time on arrival. The greatest difference seen lately therefore
gives director time less the shortest delivery, usually some milliseconds.
"""

from __future__ import annotations

from math import inf

from nightowl.core.lately import Greatest


class DirectorTime:
    """Keeps the greatest difference lately between issue moments and the actor's own steady clock.

    An older one is forgotten, so that a director's clock may step back, or another director lead.
    """

    def __init__(self) -> None:
        self._started: float | None = None
        self._offset = Greatest()

    def hear(self, issued: float, steady: float) -> None:
        """Note that a batch issued at ``issued`` (Unix seconds) arrived at ``steady`` (own monotonic seconds)."""
        if self._started is None:
            self._started = steady
        self._offset.hear(issued - steady, steady)

    def settled(self, steady: float, after: float) -> bool:
        """Whether enough seconds have passed since the first batch, so that a backlog does not set the clock."""
        return self._started is not None and steady - self._started >= after

    def now(self, steady: float, own: float) -> float:
        """Return director time in Unix seconds; ``own`` clock where nothing has been heard."""
        offset = self._offset.value
        return own if offset == -inf else steady + offset
