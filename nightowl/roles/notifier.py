"""The notifier: sends notices to their channels, each channel in a lane of its own."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Collection

from nightowl.core.errors import Unavailable
from nightowl.flows.notify import Notifier
from nightowl.roles.installation import Installation
from nightowl.roles.pulse import Pulse
from nightowl.wire.clock import CLOCK
from nightowl.wire.notices import notifier_plan
from nightowl.wire.remembered import remembered

log = logging.getLogger(__name__)

TURN = 0.25
"""Seconds between looks at the outbox."""


class ThreadLanes:
    """Lanes as threads: a channel that hangs holds up itself only."""

    def __init__(self) -> None:
        self._threads: dict[str, threading.Thread] = {}

    def busy(self) -> Collection[str]:
        """The channels whose work has not ended."""
        return {channel for channel, thread in self._threads.items() if thread.is_alive()}

    def run(self, channel: str, work: Callable[[], None]) -> None:
        """Do ``work`` in a thread."""
        self._threads[channel] = threading.Thread(target=work, name=f"channel {channel}", daemon=True)
        self._threads[channel].start()

    def join(self, timeout: float) -> None:
        """Wait for work under way, for ``timeout`` seconds at most."""
        deadline = CLOCK.monotonic() + timeout
        for thread in self._threads.values():
            thread.join(max(0.0, deadline - CLOCK.monotonic()))


class NotifierRole:
    """Runs a notifier over the store of an installation; any number may run."""

    name = "notifier"
    fault = ""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def run(self, stop: threading.Event) -> None:
        """Send until ``stop``; sends under way get some seconds to end."""
        lanes = ThreadLanes()
        holder = f"{socket.gethostname()}.{os.getpid()}"
        plan = remembered(self._installation.current, notifier_plan)
        notifier = Notifier(self._installation.store, CLOCK, plan, holder=holder, lanes=lanes)
        pulse = Pulse(self.name)
        while not stop.wait(TURN):
            try:
                notifier.step()
                self.fault = ""
            except Unavailable as error:
                if not self.fault:
                    log.warning("notices wait, trying again: %s", error)
                self.fault = str(error)
            pulse.beat(self.fault)
        lanes.join(5.0)
        pulse.end()
