"""Who watches the watcher: call ``[self] ping`` every minute, but only while this process leads and works."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from nightowl.core.errors import DeliveryFailed
from nightowl.roles.installation import Installation
from nightowl.wire.notices import ping

log = logging.getLogger(__name__)

EVERY = 60.0
"""Seconds between calls."""


class SelfPingRole:
    """Calls the URL of an installation while ``works`` says so; its silence is what raises the alarm elsewhere."""

    name = "self ping"
    fault = ""

    def __init__(self, installation: Installation, works: Callable[[], bool], *, every: float = EVERY) -> None:
        self._installation = installation
        self._works = works
        self._every = every

    def run(self, stop: threading.Event) -> None:
        """Call until ``stop``."""
        failing = False
        while not stop.wait(self._every):
            url = self._installation.current().self_ping
            if not url or not self._works():
                continue
            try:
                ping(url)
            except DeliveryFailed as error:
                if not failing:
                    log.warning("[self] ping was not answered, trying again every minute: %s", error)
                failing = True
            else:
                failing = False
