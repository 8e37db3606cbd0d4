"""A clock that stands still until it is moved."""

from __future__ import annotations


class ManualClock:
    """Starts at a moment (Unix seconds) and moves by ``advance`` alone."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._steady = 0.0

    def now(self) -> float:
        """Unix seconds."""
        return self._now

    def monotonic(self) -> float:
        """Seconds moved so far."""
        return self._steady

    def advance(self, seconds: float) -> None:
        """Move both clocks forward."""
        self._now += seconds
        self._steady += seconds

    def step(self, seconds: float) -> None:
        """Step wall time alone, forward or back, as an operator or NTP does."""
        self._now += seconds
