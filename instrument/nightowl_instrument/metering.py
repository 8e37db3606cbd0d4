"""Carries what was measured to StatsD."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from nightowl_instrument import statsd
from nightowl_instrument.address import Address, Line
from nightowl_instrument.statsd import Encoder, Item, Series

log = logging.getLogger(__name__)

EVERY = 0.1
"""Seconds that measurements gather."""

GAUGES = 10.0
"""Seconds between two times at which a process tells how it is."""

AT_ONCE = 5_000

DROPPED = Series("instrument_dropped")
"""Counts what was measured and could not be told: it came while too much waited, or its packet could not be sent."""


class Metering:
    """A ``Carrier``. What StatsD does not take is lost and counted, as StatsD's own clients do."""

    every, idle, at_once = EVERY, GAUGES, AT_ONCE

    def __init__(self, to: Address) -> None:
        self._to = to
        self._line = Line(to)
        self._encoder = Encoder(to.prefix, to.tags)
        self._lost = 0
        self._next = 0.0
        self._faulty = False
        self.gauges: Callable[[], Iterable[Item]] = tuple

    def carry(self, items: list[Item], dropped: int) -> float:
        """Send what was measured; return 0."""
        found = self._encoder.lines((*items, *self._due_gauges()))
        lost, self._lost = self._lost + dropped, 0
        if lost:
            found += self._encoder.lines([(DROPPED, lost)])
        end = b"\n" if self._to.kind == "tcp" else b""
        told = True
        for packet in statsd.packets(found, self._to.size):
            told = self._send(packet, end)
        if lost and not told:  # the last line of the last packet said so, and is none that was measured
            self._lost += lost - 1
        return 0.0

    def reset(self) -> None:
        """Let go of the parent's socket, and of what it has to tell of itself."""
        self._line.close()
        self._lost, self._next, self.gauges = 0, 0.0, tuple

    def _due_gauges(self) -> Iterable[Item]:
        now = time.monotonic()
        if now < self._next:
            return ()
        self._next = now + GAUGES
        return self.gauges()

    def _send(self, packet: bytes, end: bytes) -> bool:
        """Send a packet; return whether it left."""
        try:
            self._line.send(packet + end)
        except OSError as error:
            self._lost += packet.count(b"\n") + 1
            if not self._faulty:
                log.warning("StatsD does not take what is measured, trying again: %s", error)
            self._faulty = True
            return False
        self._faulty = False
        return True
