"""The web: pages, API and metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable

from nightowl import wire
from nightowl.roles.installation import Installation
from nightowl.web.serve import ServerThread


class WebRole:
    """Serves the pages of an installation. Raises ``ConfigurationError`` where the address is taken.

    ``faults`` are those of the other roles in this process. ``ready`` is called with the port once it answers.
    """

    name = "web"
    fault = ""

    def __init__(
        self, installation: Installation, faults: Callable[[], list[str]], ready: Callable[[int], None]
    ) -> None:
        server = installation.current().server
        app = wire.web_app(
            installation.current, installation.store, problems=lambda: [*installation.problems, *faults()]
        )
        self._server = ServerThread(app, server.listen_host, server.listen_port, ready=ready)

    def run(self, stop: threading.Event) -> None:
        """Serve until ``stop``."""
        self._server.start()
        try:
            while not stop.wait(0.5):
                if not self._server.is_alive():
                    raise RuntimeError("the web server ended by itself")
        finally:
            self._server.stop()
