"""Where flows get the time from."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Where flows get the time from."""

    def now(self) -> float:
        """Unix seconds, UTC."""

    def monotonic(self) -> float:
        """Seconds that never step, for durations."""
