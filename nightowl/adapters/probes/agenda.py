"""Functions that the engine's owner is to call: as soon as it can, or later."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from itertools import count
from time import monotonic

log = logging.getLogger(__name__)

Call = Callable[[], None]


def call(function: Call) -> None:
    """Call a function of somebody else: its failure is logged, and is not ours."""
    try:
        function()
    except Exception:
        log.exception("A callback of the engine failed; the engine goes on")


class Agenda:
    """Takes functions from any thread and has them called by the owner, in order of their time."""

    def __init__(self, wake: Call) -> None:
        """``wake`` ends the owner's sleep."""
        self._wake = wake
        self._calls: deque[Call] = deque()
        self._timers: list[tuple[float, int, Call]] = []
        self._order = count()
        self.asleep = False
        """Set by the owner before it looks for the last time whether there is something to do, and then sleeps."""

    def later(self, delay: float, function: Call) -> None:
        """Have ``function`` called in ``delay`` seconds; from any thread."""
        self._calls.append(partial(self._set, monotonic() + delay, function) if delay > 0 else function)
        self.nudge()

    def nudge(self) -> None:
        """Wake the owner where it sleeps; from any thread."""
        if self.asleep:
            self._wake()

    def work(self, at_most: int) -> None:
        """Call what is to be called now, but not too much in one turn."""
        for _ in range(min(len(self._calls), at_most)):
            call(self._calls.popleft())
        now = monotonic()
        while self._timers and self._timers[0][0] <= now:
            call(heappop(self._timers)[2])

    def due(self) -> float:
        """When there will be something to do (monotonic; infinite: never)."""
        if self._calls:
            return 0.0
        return self._timers[0][0] if self._timers else float("inf")

    def _set(self, due: float, function: Call) -> None:
        heappush(self._timers, (due, next(self._order), function))
