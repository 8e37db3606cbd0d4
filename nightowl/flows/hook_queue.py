"""What waits to be posted to one hook: bounded, tried again after failures, counted.

Events wait in memory only. One is tried until it is taken, refused for good or a day old; a failure pauses the whole
hook, as the next event would most likely fail, too, and puts the event behind the others, so that one which its
receiver cannot take does not hold them up for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import msgspec

from nightowl.core.cluster.hooks import pause
from nightowl.core.errors import DeliveryFailed
from nightowl.core.values import Sample
from nightowl.ports import Clock

MOST = 10_000
"""Events that wait at most; beyond that the oldest are dropped."""

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of waiting events at most, about."""

KEPT = 86400.0
"""Seconds after which an event that could not be delivered is dropped."""

ACCEPTED, FAILED, REFUSED = "accepted", "failed", "refused"
FULL, OLD, ENDED = "full", "old", "ended"


class Waiting(msgspec.Struct):
    """An event on its way. ``make`` makes the body, when it is first needed; ``since`` is by a monotonic clock."""

    key: str
    size: int
    make: Callable[[], bytes]
    since: float = 0.0
    body: bytes = b""

    def made(self) -> bytes:
        """The body, the same to the byte each time."""
        self.body = self.body or self.make()
        return self.body


class HookQueue:
    """The events of one hook. Whoever lets several threads in locks it.

    ``deliveries`` counts tries by what came of them, ``dropped`` events that were given up by why.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.deliveries = dict.fromkeys((ACCEPTED, FAILED, REFUSED), 0)
        self.dropped = dict.fromkeys((FULL, OLD, REFUSED, ENDED), 0)
        self._clock = clock
        self._waiting: deque[Waiting] = deque()
        self._size = 0
        self._failures = 0
        self._paused_until = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, event: Waiting) -> None:
        """Let an event wait; where there are too many, the oldest go."""
        event.since = event.since or self._clock.monotonic()
        self._waiting.append(event)
        self._size += event.size
        while len(self._waiting) > MOST or (self._size > MOST_BYTES and len(self._waiting) > 1):
            self._pop()
            self.dropped[FULL] += 1

    def next(self) -> Waiting | None:
        """Take the event that is to be tried now (None: there is none, or the hook pauses)."""
        now = self._clock.monotonic()
        while self._waiting and now >= self._paused_until:
            event = self._pop()
            if event.since > now - KEPT:
                return event
            self.dropped[OLD] += 1
        return None

    def rest(self) -> float | None:
        """Return the seconds until ``next`` may have one (None: not before one is offered)."""
        return max(0.0, self._paused_until - self._clock.monotonic()) if self._waiting else None

    def accepted(self) -> bool:
        """Note that an event was taken; whether the one before was not."""
        self.deliveries[ACCEPTED] += 1
        before, self._failures = self._failures, 0
        return before > 0

    def failed(self, event: Waiting, error: DeliveryFailed) -> bool:
        """Note that an event was not taken, and let it wait again unless that is in vain; whether this is news."""
        if error.permanent:
            self.deliveries[REFUSED] += 1
            self.dropped[REFUSED] += 1
            return self.dropped[REFUSED] == 1
        self.deliveries[FAILED] += 1
        now = self._clock.monotonic()
        # what several threads had under way when the receiver went away is one failure
        if now >= self._paused_until:
            self._failures += 1
        self._paused_until = max(self._paused_until, now + pause(self._failures, error.retry_after))
        self.offer(event)
        return self._failures == 1

    def abandon(self) -> int:
        """Give up all that waits; return how much that was."""
        count = len(self._waiting)
        self._waiting.clear()
        self._size = 0
        self.dropped[ENDED] += count
        return count

    def samples(self) -> Iterator[Sample]:
        """Yield what was counted."""
        for result, count in self.deliveries.items():
            labels = (("hook", self.name), ("result", result))
            yield Sample("nightowl_hook_deliveries_total", labels, 0.0, float(count))
        for reason, count in self.dropped.items():
            labels = (("hook", self.name), ("reason", reason))
            yield Sample("nightowl_hook_dropped_total", labels, 0.0, float(count))

    def _pop(self) -> Waiting:
        event = self._waiting.popleft()
        self._size -= event.size
        return event
