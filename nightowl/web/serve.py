"""Running an application with uvicorn in a thread, beside whatever else the process does."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import uvicorn

from nightowl.core.errors import ConfigurationError, Mistake

_STOPPING = 5
"""Seconds that requests under way get to end."""


class Certificates(msgspec.Struct, frozen=True, kw_only=True):
    """Paths of PEM files for TLS; ``client_ca``: what a certificate that a client shows must come from (empty: any)."""

    certificate: str
    key: str
    client_ca: str = ""


class ServerThread:
    """An application at an address, served by a thread of its own.

    It binds when it is made: raises ``ConfigurationError`` where the address cannot be listened on. Port 0 takes
    any free one. ``ready`` is called with the port (of a Unix socket: 0) once it answers. ``unix_socket`` is listened
    on in place of host and port.
    """

    def __init__(
        self,
        app: Any,
        host: str,
        port: int,
        *,
        ready: Callable[[int], None] | None = None,
        unix_socket: str = "",
        certificates: Certificates | None = None,
    ) -> None:
        self._socket = bind_unix(unix_socket) if unix_socket else bind(host, port)
        self.port = _port(self._socket)
        self.address = "" if unix_socket else address(host, self.port, secure=certificates is not None)
        self._server = _Server(app, self._tell, certificates)
        self._ready = ready
        self._opened = app.state.opened
        self._thread = Thread(target=self._run, name="web", daemon=True)

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

    def _tell(self, port: int) -> None:
        """Say that it answers, and where; then how to get in."""
        if self._ready is not None:
            self._ready(port)
        self._opened(self.address)


def address(host: str, port: int, *, secure: bool) -> str:
    """Return the URL, without a path, at which this machine itself reaches what listens on ``host``."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, and not listened on
    return f"{'https' if secure else 'http'}://{f'[{reached}]' if ':' in reached else reached}:{port}"


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


def bind_unix(path: str) -> socket.socket:
    """A listening Unix socket that any account of this machine may connect to.

    What an earlier process left there is replaced. Raises ``ConfigurationError`` where there can be none.
    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if Path(path).is_socket():
            Path(path).unlink()
        listening.bind(path)
        Path(path).chmod(0o777)
        listening.listen(128)
    except OSError as error:
        listening.close()
        found = f'"{path}" ({error.strerror or error})'
        raise ConfigurationError(
            [Mistake(file="", key="server.unix_socket", found=found, allowed="a path that a socket can be made at")]
        ) from None
    return listening


def _port(listening: socket.socket) -> int:
    return int(listening.getsockname()[1]) if listening.family != socket.AF_UNIX else 0


class _Server(uvicorn.Server):
    """uvicorn that says when it answers, and ends live streams before it waits for requests to end."""

    def __init__(self, app: Any, ready: Callable[[int], None], certificates: Certificates | None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                lifespan="on",
                timeout_graceful_shutdown=_STOPPING,
                **(_tls(certificates) if certificates else {}),
            )
        )
        self._live = app.state.live
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        if self.started and sockets:
            self._ready(_port(sockets[0]))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then the rest."""
        self._live.close()
        await super().shutdown(sockets)


def _tls(certificates: Certificates) -> dict[str, Any]:
    return {
        "ssl_certfile": certificates.certificate,
        "ssl_keyfile": certificates.key,
        "ssl_ca_certs": certificates.client_ca or None,
        "ssl_cert_reqs": ssl.CERT_OPTIONAL if certificates.client_ca else ssl.CERT_NONE,
    }


def _unusable(host: str, port: int, error: OSError) -> ConfigurationError:
    taken = "another program listens there already" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
    found = f'"{host}:{port}" ({taken})'
    return ConfigurationError(
        [Mistake(file="", key="server.listen", found=found, allowed="a free address of this machine")]
    )
