"""An actor's clock that shows the director's time."""

from __future__ import annotations

from nightowl.core.director_time import DirectorTime
from nightowl.ports import Clock


class DirectorClock:
    """A clock whose ``now`` is director time as far as it is known, else the own clock's."""

    def __init__(self, own: Clock) -> None:
        self._own = own
        self.time = DirectorTime()

    def now(self) -> float:
        """Director time in Unix seconds."""
        return self.time.now(self._own.monotonic(), self._own.now())

    def monotonic(self) -> float:
        """The own steady clock."""
        return self._own.monotonic()
