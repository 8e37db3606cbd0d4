"""What waits to be sent to one sink: bounded, tried again after failures, counted.

Snapshots wait in memory only. While a receiver is away they wait in their order, and the oldest are dropped when there
are too many: what they said of gauges is lost then, while counters are told in full by the next one.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from nightowl.core.errors import DeliveryFailed
from nightowl.core.values import Sample
from nightowl.ports import Clock

MOST = 60
"""Snapshots that wait at most."""

MOST_SAMPLES = 500_000
"""Samples of waiting snapshots at most, unless one alone has more."""

SHORTEST, LONGEST = 1.0, 30.0
"""Seconds between two tries, first and at most."""

CALM = 30.0
"""Seconds without a failure after which a receiver counts as one that takes samples again."""

FULL, OVERTAKEN, REFUSED, FAULT, ENDED = "full", "overtaken", "refused", "fault", "ended"


class Snapshot(msgspec.Struct, frozen=True):
    """Samples of one moment (Unix seconds)."""

    samples: Sequence[Sample]
    at: float


class SinkQueue:
    """The snapshots of one sink. Whoever lets several threads in locks it.

    ``newest``: none but the last is of use. ``sent`` and ``dropped`` (by reason) count samples, ``fault`` says why the
    last snapshot was not taken (empty: it was).
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.newest = False
        self.dropped = Counter({FULL: 0, REFUSED: 0})
        self.sent = 0
        self.fault = ""
        self._clock = clock
        self._waiting: deque[Snapshot] = deque()
        self._size = 0
        self._failures = 0
        self._paused_until = 0.0
        self._tried = self._told = False
        self._well: float | None = None
        self._under_way = 0
        self._began = clock.now()
        self._last = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def up(self) -> bool | None:
        """Whether the last snapshot was taken (None: there was none with samples)."""
        return not self.fault if self._tried else None

    def offer(self, snapshot: Snapshot) -> None:
        """Let a snapshot wait; where there are too many, the oldest go."""
        self._waiting.append(snapshot)
        self._size += len(snapshot.samples)
        self._trim()

    def next(self) -> Snapshot | None:
        """Take the snapshot that is to be sent now (None: there is none, or the sink pauses)."""
        if self.rest() != 0:
            return None
        self._under_way = 1
        return self._pop()

    def rest(self) -> float | None:
        """Return the seconds until ``next`` may have one (None: not before one is offered)."""
        return max(0.0, self._paused_until - self._clock.monotonic()) if self._waiting else None

    def delivered(self, snapshot: Snapshot, dropped: Mapping[str, int]) -> bool:
        """Note that the receiver took a snapshot but for what was ``dropped``; whether it is news that it does again.

        That it is once it has for ``CALM`` seconds: one that resets each connection takes every other one. A snapshot
        without samples says nothing of a receiver that was never sent any.
        """
        self._tried, self._under_way = self._tried or bool(snapshot.samples), 0
        self.dropped.update(dropped)
        self.sent += len(snapshot.samples) - sum(dropped.values())
        self._last = max(self._last, snapshot.at)
        self.fault, self._failures = "", 0
        now = self._clock.monotonic()
        self._well = now if self._well is None else self._well
        again = self._told and now - self._well >= CALM
        self._told = self._told and not again
        return again

    def failed(self, snapshot: Snapshot, error: DeliveryFailed, reason: str = REFUSED) -> bool:
        """Note that a snapshot was not taken: it waits again, or is dropped for ``reason``. Whether this is news.

        It is not until it was news that snapshots before were taken.
        """
        self._tried, self._under_way = True, 0
        if error.permanent:
            self.dropped[reason] += len(snapshot.samples)
        else:
            self._failures += 1
            pause = min(LONGEST, SHORTEST * 2.0 ** min(self._failures - 1, 10))
            self._paused_until = self._clock.monotonic() + min(LONGEST, max(pause, error.retry_after or 0.0))
            self._waiting.appendleft(snapshot)
            self._size += len(snapshot.samples)
            self._trim()
        news, self._told, self._well, self.fault = not self._told, True, None, str(error)
        return news

    def abandon(self) -> int:
        """Give up all that waits; return how many samples that was."""
        count, self._size = self._size, 0
        self._waiting.clear()
        self.dropped[ENDED] += count
        return count

    def samples(self, now: float) -> Iterator[Sample]:
        """Yield what was counted, at ``now`` (Unix seconds)."""
        sink = ("sink", self.name)
        yield Sample("nightowl_sink_samples_total", (sink,), now, float(self.sent))
        for reason, count in self.dropped.items():
            yield Sample("nightowl_sink_dropped_total", (("reason", reason), sink), now, float(count))
        yield Sample("nightowl_sink_queue", (sink,), now, float(len(self._waiting) + self._under_way))
        if self.up is not None:
            yield Sample("nightowl_sink_up", (sink,), now, float(self.up))
        yield Sample("nightowl_sink_lag_seconds", (sink,), now, max(0.0, now - (self._last or self._began)))

    def _trim(self) -> None:
        most = 1 if self.newest else MOST
        while len(self._waiting) > most or (self._size > MOST_SAMPLES and len(self._waiting) > 1):
            self.dropped[OVERTAKEN if self.newest else FULL] += len(self._pop().samples)

    def _pop(self) -> Snapshot:
        snapshot = self._waiting.popleft()
        self._size -= len(snapshot.samples)
        return snapshot
