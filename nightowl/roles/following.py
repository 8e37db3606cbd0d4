"""Follow the configuration files beside the other roles of a process."""

from __future__ import annotations

import logging
import threading

from nightowl.roles.installation import Installation

log = logging.getLogger(__name__)

PAUSE = 2.0
"""Seconds to wait after a failure of our own."""


class FollowingRole:
    """Watches an installation's files; with ``defines`` it brings each new configuration into the store."""

    name = "configuration"
    fault = ""

    def __init__(self, installation: Installation, *, defines: bool) -> None:
        self._installation = installation
        self._defines = defines

    def run(self, stop: threading.Event) -> None:
        """Watch until ``stop``. Whatever goes wrong on the way, the old configuration stays and the roles go on."""
        while not stop.is_set():
            try:
                self._installation.follow(stop, defines=self._defines)
            except Exception:
                log.exception("the configuration could not be read again; the old one stays in force")
                stop.wait(PAUSE)
