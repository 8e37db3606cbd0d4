"""The director: schedules rounds, takes in reports, closes rounds; one leads, the others stand by."""

from __future__ import annotations

import os
import secrets
import socket
import threading

from nightowl.core.values import Sample
from nightowl.roles.installation import Installation
from nightowl.roles.pulse import Pulse
from nightowl.wire.bus import director_bus
from nightowl.wire.director import leader

TICK = 0.05
"""Seconds between turns of the loop."""


class DirectorRole:
    """Runs a leader over the store and the bus of an installation."""

    name = "director"

    def __init__(self, installation: Installation) -> None:
        self._bus = director_bus(installation.current)
        # in a container that is started again, host name and process id are what they were
        holder = f"{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}"
        self._leader = leader(installation.store, self._bus, installation.current, installation.vault, holder)

    @property
    def fault(self) -> str:
        """What it cannot reach now, empty: nothing."""
        return self._leader.fault or self._bus.fault

    @property
    def works(self) -> bool:
        """Whether it leads, and reaches all it needs."""
        return self._leader.leading and not self.fault

    def figures(self) -> list[Sample]:
        """What it has counted while leading."""
        return self._leader.figures()

    def run(self, stop: threading.Event) -> None:
        """Lead or stand by until ``stop``, then let another lead."""
        pulse = Pulse(self.name)
        try:
            while not stop.wait(TICK):
                self._leader.tick()
                pulse.beat(self.fault)
        finally:
            self._leader.stop()
            self._bus.close()
            pulse.end()
