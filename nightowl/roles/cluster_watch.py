"""Whether the brokers of watched clusters can be read, for a process that watches none: as their watchers say."""

from __future__ import annotations

import threading

from nightowl.core.cluster.standing import unreadable
from nightowl.core.errors import Unavailable
from nightowl.roles.installation import Installation
from nightowl.wire.clock import CLOCK

EVERY = 2.0
"""Seconds between looks."""


class ClusterWatchRole:
    """Looks at what watchers stored now and then; ``fault`` names the clusters whose broker cannot be read."""

    name = "cluster watch"

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self.fault = ""

    def run(self, stop: threading.Event) -> None:
        """Look until ``stop``."""
        while True:
            self.fault = self._look()
            if stop.wait(EVERY):
                return

    def _look(self) -> str:
        clusters = self._installation.current().clusters
        try:
            states = self._installation.tasks.states() if clusters else []
        except Unavailable:  # which is told of the store itself
            return ""
        return "; ".join(unreadable([state for state in states if state.name in clusters], CLOCK.now()))
