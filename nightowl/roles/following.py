"""Follow the configuration files beside the other roles of a process."""

from __future__ import annotations

import threading

from nightowl.roles.installation import Installation


class FollowingRole:
    """Watches an installation's files; with ``defines`` it brings each new configuration into the store."""

    name = "configuration"
    fault = ""

    def __init__(self, installation: Installation, *, defines: bool) -> None:
        self._installation = installation
        self._defines = defines

    def run(self, stop: threading.Event) -> None:
        """Watch until ``stop``."""
        self._installation.follow(stop, defines=self._defines)
