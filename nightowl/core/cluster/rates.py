"""How quickly queues fill and empty, from successive looks at them."""

from __future__ import annotations

import math
from collections import deque

import msgspec
from msgspec.structs import replace

from nightowl.core.cluster.state import Queue

SPAN = 60.0
"""Seconds over which rates are taken."""

SHORTEST = 5.0
"""Seconds between two looks at least, for a rate to be told."""

NEVER = math.inf
"""The time until a queue is drained that does not shrink."""


class Look(msgspec.Struct, frozen=True):
    """A queue at ``at`` (Unix seconds): messages ready, and how many workers had received of it ever (a counter)."""

    at: float
    ready: int
    received: int = 0


class Looks:
    """The looks at one queue within ``SPAN``, and the newest one before."""

    def __init__(self) -> None:
        self._looks: deque[Look] = deque()

    def add(self, look: Look) -> None:
        """Note a look. One that is older than the last, or whose counter ran backwards, begins anew."""
        if self._looks and (look.at <= self._looks[-1].at or look.received < self._looks[-1].received):
            self._looks.clear()
        self._looks.append(look)
        while len(self._looks) > 2 and self._looks[1].at <= look.at - SPAN:
            self._looks.popleft()

    def rates(self) -> tuple[float, float] | None:
        """Messages a second in and out (None: not known yet). What came in is what went out and what is there more."""
        if len(self._looks) < 2:
            return None
        first, last = self._looks[0], self._looks[-1]
        seconds = last.at - first.at
        if seconds < SHORTEST:
            return None
        out = (last.received - first.received) / seconds
        grown = (last.ready - first.ready) / seconds
        if grown + out < 0:  # taken by somebody who tells nothing, or purged
            out = -grown
        return grown + out, out


class QueueRates:
    """The looks at all queues of a cluster."""

    def __init__(self) -> None:
        self._looks: dict[str, Looks] = {}

    def told(self, queues: tuple[Queue, ...], received: dict[str, int], now: float) -> tuple[Queue, ...]:
        """Return these queues with their rates; ``received`` is how many tasks of each workers have received.

        Rates that the broker told itself stay. Queues that are not there any more are forgotten.
        """
        self._looks = {queue.name: self._looks.get(queue.name) or Looks() for queue in queues}
        return tuple(self._with_rates(queue, received.get(queue.name, 0), now) for queue in queues)

    def _with_rates(self, queue: Queue, received: int, now: float) -> Queue:
        if queue.ready is None:
            return queue
        looks = self._looks[queue.name]
        looks.add(Look(now, queue.ready, received))
        rates = looks.rates()
        if rates is None or queue.rate_in is not None or queue.rate_out is not None:
            return queue
        return replace(queue, rate_in=rates[0], rate_out=rates[1])


def drain_time(queue: Queue) -> float | None:
    """Seconds until a queue is empty if it goes on so: ``NEVER`` if it does not shrink, None if it is not known."""
    if queue.ready == 0:
        return 0.0
    if queue.ready is None or queue.rate_in is None or queue.rate_out is None:
        return None
    net = queue.rate_out - queue.rate_in
    return queue.ready / net if net > 0 else NEVER
