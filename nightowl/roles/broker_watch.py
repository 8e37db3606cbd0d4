"""Whether the brokers can be reached, for a process that uses none of them: the pages say so."""

from __future__ import annotations

import threading

from nightowl.config import Configuration
from nightowl.wire.bus import unreachable

EVERY = 10.0
"""Seconds between looks."""


class BrokerWatchRole:
    """Connects to each broker now and then; ``fault`` names the one that does not answer."""

    name = "broker watch"

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self.fault = ""

    def run(self, stop: threading.Event) -> None:
        """Look until ``stop``."""
        while True:
            self.fault = unreachable(self._configuration)
            if stop.wait(EVERY):
                return
