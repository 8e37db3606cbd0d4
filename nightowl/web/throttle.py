"""Slowing down those who guess."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import NamedTuple

from nightowl.core.errors import NightOwlError
from nightowl.ports import Clock

_REMEMBERED = 100_000


class TooManyTries(NightOwlError):
    """Sign-ins of this name or from this address have failed too often; ``wait`` is in seconds."""

    def __init__(self, wait: float, sentence: str = "Too many failed sign-ins.") -> None:
        self.wait = int(wait) + 1
        super().__init__(f"{sentence} Try again in {self.wait} second{'' if self.wait == 1 else 's'}.")


class Limit(NamedTuple):
    """At most ``most`` tries that count against ``key`` within ``window`` seconds."""

    key: str
    most: int
    window: float


class Throttle:
    """Counts tries by key; the keys tried least recently are forgotten first. Safe for threads.

    A try is counted before its outcome is known, and given back where it did no harm: so however many come at once,
    no more than the limit get through.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._tries: OrderedDict[str, list[float]] = OrderedDict()

    def wait(self, limits: Sequence[Limit]) -> float:
        """Seconds until none of the limits is full (0: now)."""
        with self._lock:
            return self._wait(limits, self._clock.monotonic())

    def reserve(self, limits: Sequence[Limit]) -> float:
        """Count a try against all limits and return 0, or where one is full the seconds to wait."""
        now = self._clock.monotonic()
        with self._lock:
            if wait := self._wait(limits, now):
                return wait
            for limit in limits:
                self._tries[limit.key] = [*self._recent(limit, now), now]
                self._tries.move_to_end(limit.key)
            while len(self._tries) > _REMEMBERED:
                self._tries.popitem(last=False)
        return 0.0

    def give_back(self, limits: Sequence[Limit]) -> None:
        """Forget one try that was counted against these limits."""
        with self._lock:
            for limit in limits:
                tries = self._tries.get(limit.key)
                if tries:
                    tries.pop()
                if tries == []:
                    del self._tries[limit.key]

    def _wait(self, limits: Sequence[Limit], now: float) -> float:
        return max((self._wait_for(limit, now) for limit in limits), default=0.0)

    def _wait_for(self, limit: Limit, now: float) -> float:
        recent = self._recent(limit, now)
        return recent[-limit.most] + limit.window - now if len(recent) >= limit.most else 0.0

    def _recent(self, limit: Limit, now: float) -> list[float]:
        return [moment for moment in self._tries.get(limit.key, ()) if moment > now - limit.window]


class Gate:
    """Lets few through at a time to what costs much; some wait in line, the others are turned away."""

    def __init__(self, at_once: int, in_line: int) -> None:
        self._line = BoundedSemaphore(at_once + in_line)
        self._room = BoundedSemaphore(at_once)

    @contextmanager
    def passage(self) -> Iterator[None]:
        """Wait for a place, and keep it for the block. Raises ``TooManyTries`` where the line is full."""
        if not self._line.acquire(blocking=False):
            raise TooManyTries(0, "Too many sign-ins are under way.")
        try:
            with self._room:
                yield
        finally:
            self._line.release()
