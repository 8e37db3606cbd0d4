"""Running an application with uvicorn in a thread, beside whatever else the process does."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from threading import Thread
from typing import Any

import uvicorn

from nightowl.core.errors import ConfigurationError, Mistake

_STOPPING = 5
"""Seconds that requests under way get to end."""


class ServerThread:
    """An application at an address, served by a thread of its own.

    It binds when it is made: raises ``ConfigurationError`` where the address cannot be listened on. Port 0 takes
    any free one. ``ready`` is called with the port once it answers.
    """

    def __init__(self, app: Any, host: str, port: int, *, ready: Callable[[int], None] | None = None) -> None:
        self._socket = bind(host, port)
        self._server = _Server(app, ready)
        self._thread = Thread(target=self._run, name="web", daemon=True)
        self.port: int = self._socket.getsockname()[1]

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End what is under way, close the socket, and wait for both."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join()
        self._socket.close()

    def is_alive(self) -> bool:
        """Whether it still serves."""
        return self._thread.is_alive()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; raises ``ConfigurationError`` where there can be none."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        # asyncio sends small answers at once (TCP_NODELAY) only over sockets that say that they are TCP's
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:
        raise _unusable(host, port, error) from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise _unusable(host, port, error) from None
    return listening


class _Server(uvicorn.Server):
    """uvicorn that says when it answers, and ends live streams before it waits for requests to end."""

    def __init__(self, app: Any, ready: Callable[[int], None] | None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                lifespan="on",
                timeout_graceful_shutdown=_STOPPING,
            )
        )
        self._live = app.state.live
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        if self.started and self._ready and sockets:
            self._ready(sockets[0].getsockname()[1])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then the rest."""
        self._live.close()
        await super().shutdown(sockets)


def _unusable(host: str, port: int, error: OSError) -> ConfigurationError:
    taken = "another program listens there already" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
    found = f'"{host}:{port}" ({taken})'
    return ConfigurationError(
        [Mistake(file="", key="server.listen", found=found, allowed="a free address of this machine")]
    )
