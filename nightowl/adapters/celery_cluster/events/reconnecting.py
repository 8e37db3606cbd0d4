"""A cluster's source of events over any broker: it connects, and again after each loss, and says what was missed."""

from __future__ import annotations

import threading
from collections.abc import Callable

from nightowl.adapters.celery_cluster.events.connecting import Connecting
from nightowl.adapters.celery_cluster.events.decode import Sieve
from nightowl.adapters.celery_cluster.events.stream import Connect, Stream
from nightowl.adapters.celery_cluster.fault import CarriesNoEvents, NotSupported
from nightowl.core.cluster.events import Gap, Intake
from nightowl.ports.clock import Clock

SLICE = 0.1
"""Seconds that anything waits before it looks whether the source is to close."""

PAUSES = (0.0, 0.25, 0.5, 1.0, 2.0, 5.0)
"""Seconds before the first attempt to connect again, the second, ... and all later ones."""

UNSUPPORTED = 60.0
"""Seconds before a broker that carries no events is asked again."""

STEADY = 10.0
"""Seconds after which a connection counts as one that works, so that its loss is the first again."""


class ReconnectingSource:
    """A ``ClusterSource``. ``said`` puts an error into words, without secrets."""

    def __init__(self, connect: Connect, sieve: Sieve, clock: Clock, said: Callable[[BaseException], str]) -> None:
        self._connect = connect
        self._sieve = sieve
        self._clock = clock
        self._said = said
        self._reading = threading.Lock()
        self._closing = threading.Event()
        self._stream: Stream | None = None
        self._connecting: Connecting | None = None
        self._connected_at = 0.0
        self._failures = 0
        self._next = 0.0
        self._lost: tuple[float, str] | None = None
        self._fault = ""
        self._silent = ""

    @property
    def fault(self) -> str:
        """Why nothing can be read now (empty: it can, or the first attempt to connect is under way)."""
        return self._fault

    @property
    def silent(self) -> str:
        """Why this kind of broker never tells of anything, as far as that was found (empty: it does)."""
        return self._silent

    @property
    def since(self) -> float | None:
        """Since when all that the broker tells is read, in Unix seconds (None: it is not read now)."""
        stream = self._stream
        return stream.since if stream else None

    @property
    def sure(self) -> float | None:
        """All that the broker told between ``since`` and this moment has been read (None: it is not read now)."""
        stream = self._stream
        return stream.sure if stream else None

    def read(self, timeout: float) -> Intake:
        """Return what has arrived, waiting up to ``timeout`` seconds for the first of it."""
        gaps: list[Gap] = []
        with self._reading:
            end = self._clock.monotonic() + timeout
            left = timeout
            while not self._closing.is_set():
                self._step(min(left, SLICE), gaps)
                left = max(0.0, end - self._clock.monotonic())
                if not left or gaps or self._sieve.events or self._sieve.refused:
                    break
            events, refused = self._sieve.empty()
        return Intake(at=self._clock.now(), events=events, gaps=gaps, refused=refused)

    def close(self) -> None:
        """Give the connection back. A read in another thread returns soon; later ones find nothing."""
        self._closing.set()
        with self._reading:
            if self._connecting:
                self._connecting.abandon()
            if self._stream:
                self._stream.close()
            self._connecting = self._stream = None

    def _step(self, seconds: float, gaps: list[Gap]) -> None:
        try:
            if self._stream is None:
                self._stream = self._connected(seconds)
                if self._stream:
                    self._works(self._stream, gaps)
            elif gap := self._stream.pump(self._sieve, seconds):
                gaps.append(gap)
        except Exception as error:  # noqa: BLE001 - whatever a driver raises: connect again
            self._fails(error)

    def _connected(self, seconds: float) -> Stream | None:
        """Return a new stream as soon as there is one."""
        if self._connecting is None:
            early = self._next - self._clock.monotonic()
            if early > 0:
                self._closing.wait(min(early, seconds))
                return None
            self._connecting = Connecting(self._connect)
        if not self._connecting.wait(seconds):
            return None
        done, self._connecting = self._connecting, None
        return done.result()

    def _works(self, stream: Stream, gaps: list[Gap]) -> None:
        if self._lost:
            start, reason = self._lost
            gaps.append(Gap(start=min(start, stream.since), end=stream.since, reason=reason))
        self._connected_at = self._clock.monotonic()
        self._lost = None
        self._fault = ""

    def _fails(self, error: Exception) -> None:
        said = self._said(error)
        self._silent, self._fault = (said, "") if isinstance(error, CarriesNoEvents) else ("", said)
        now = self._clock.monotonic()
        if self._stream:
            if now - self._connected_at > STEADY:
                self._failures = 0
            self._lost = self._stream.sure, f"the connection was lost: {self._fault}"
            self._stream.close()
            self._stream = None
        pause = UNSUPPORTED if isinstance(error, NotSupported) else PAUSES[min(self._failures, len(PAUSES) - 1)]
        self._failures += 1
        self._next = now + pause
