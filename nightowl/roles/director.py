"""The director: schedules rounds, takes in reports, closes rounds; one leads, the others stand by."""

from __future__ import annotations

import os
import socket
import threading

from nightowl import wire
from nightowl.roles.installation import Installation
from nightowl.roles.pulse import Pulse

TICK = 0.05
"""Seconds between turns of the loop."""


class DirectorRole:
    """Runs a leader over the store and the bus of an installation."""

    name = "director"

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._bus = wire.director_bus(installation.current())

    @property
    def fault(self) -> str:
        """What it cannot reach now, empty: nothing."""
        return self._bus.fault

    def run(self, stop: threading.Event) -> None:
        """Lead or stand by until ``stop``, then let another lead."""
        installation = self._installation
        holder = f"{socket.gethostname()}.{os.getpid()}"
        leader = wire.leader(installation.store, self._bus, installation.current, holder)
        pulse = Pulse(self.name)
        try:
            while not stop.wait(TICK):
                leader.tick()
                pulse.beat(leader.fault or self._bus.fault)
        finally:
            leader.stop()
            self._bus.close()
            pulse.end()
