"""Redis' protocol (RESP2, https://redis.io/docs/latest/develop/reference/protocol-spec/) while a connection is set up.

Commands are sent one at a time over a socket that blocks for ``PATIENCE`` at most.
"""

from __future__ import annotations

import socket
from contextlib import closing
from typing import Any

import hiredis

from nightowl.adapters.celery_cluster.place import Place
from nightowl.adapters.celery_cluster.tls import context
from nightowl.core.cluster.settings import Tls

PATIENCE = 5.0
"""Seconds to connect, and to wait for each answer."""

PORT = 6379


class Refused(Exception):
    """Redis refuses a command; the message is what it says."""


def pack(*command: str) -> bytes:
    """Return a command's bytes."""
    packed: bytes = hiredis.pack_command(command)  # type: ignore[arg-type]  # its stub has tuples of one
    return packed


class Session:
    """A connection to one Redis. Raises ``OSError``, or ``Refused``."""

    def __init__(self, place: Place, tls: Tls | None) -> None:
        self.sock = _connect(place, tls)
        self.reader = hiredis.Reader()

    def ask(self, *command: str) -> Any:
        """Send a command and return its answer: bytes, whole numbers and lists of them."""
        self.sock.sendall(pack(*command))
        return self.answer()

    def answer(self) -> Any:
        """Wait for the next answer. Raises ``Refused``, with the answer of Redis."""
        while (found := self.reader.gets()) is False:
            data = self.sock.recv(65_536)
            if not data:
                raise ConnectionResetError("the other side closed the connection")
            self.reader.feed(data)
        if isinstance(found, hiredis.HiredisError):
            raise Refused(str(found))
        return found

    def log_in(self, user: str, password: str) -> None:
        """Say who we are, where a password is known."""
        if password:
            self.ask("AUTH", *([user] if user else []), password)

    def close(self) -> None:
        """Give the socket back."""
        self.sock.close()


def _connect(place: Place, tls: Tls | None) -> socket.socket:
    if place.scheme.endswith("socket"):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(PATIENCE)
        try:
            sock.connect(f"/{place.path}")
        except OSError:
            sock.close()
            raise
        return sock
    host = place.host or "127.0.0.1"
    sock = socket.create_connection((host, place.port or PORT), PATIENCE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if tls is None:
        return sock
    with closing(sock):  # wrapping takes its descriptor over
        return context(tls).wrap_socket(sock, server_hostname=host)
