"""What a loop does less often than every turn."""

from __future__ import annotations

from nightowl.ports import Clock


class Rhythm:
    """Remembers when each named thing was done last, on the monotonic clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}

    def due(self, name: str, period: float) -> bool:
        """Whether ``period`` seconds have passed since this last said yes (at first: at once)."""
        now = self._clock.monotonic()
        if now - self._last.get(name, -period) < period:
            return False
        self._last[name] = now
        return True
