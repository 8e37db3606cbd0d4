"""Slowing down those who guess passwords."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from nightowl.ports import Clock

FAILURES = 5
"""Failed sign-ins of one name or from one address that are let through in a window."""

WINDOW = 300.0
"""Seconds that a failure counts."""

_REMEMBERED = 10_000


class Throttle:
    """Counts failures by key; the least recently failed keys are forgotten first. Safe for threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._failures: OrderedDict[str, list[float]] = OrderedDict()

    def wait(self, *keys: str) -> float:
        """Seconds until all ``keys`` may try again (0: now)."""
        now = self._clock.monotonic()
        with self._lock:
            return max((self._wait(key, now) for key in keys), default=0.0)

    def failed(self, *keys: str) -> None:
        """Count a failure against each key."""
        now = self._clock.monotonic()
        with self._lock:
            for key in keys:
                recent = [moment for moment in self._failures.get(key, ()) if moment > now - WINDOW]
                self._failures[key] = [*recent, now]
                self._failures.move_to_end(key)
            while len(self._failures) > _REMEMBERED:
                self._failures.popitem(last=False)

    def _wait(self, key: str, now: float) -> float:
        recent = [moment for moment in self._failures.get(key, ()) if moment > now - WINDOW]
        return recent[-FAILURES] + WINDOW - now if len(recent) >= FAILURES else 0.0
