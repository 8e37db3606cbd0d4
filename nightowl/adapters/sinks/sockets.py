"""Sockets to receivers, opened when first needed, bounded in time, opened anew after a fault."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from nightowl.core.errors import DeliveryFailed

TIMEOUT = 5.0
"""Seconds that connecting, or sending one portion, may take."""

_DEFAULT_PORT = 8125


class Line:
    """A socket to ``udp://host:port``, ``tcp://host:port`` or ``unix:///path`` (datagrams)."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._scheme = parts.scheme
        self._path = parts.path
        self._place = (parts.hostname or "", parts.port or _DEFAULT_PORT)
        self._socket: socket.socket | None = None

    @property
    def streams(self) -> bool:
        """Whether it is a stream, in which each line needs an end."""
        return self._scheme == "tcp"

    def send(self, portions: Iterable[bytes]) -> None:
        """Send portions, each as a datagram where it is no stream. Raises ``DeliveryFailed``."""
        try:
            if self._socket is None or self._ended():
                self.close()
                self._socket = self._open()
            for portion in portions:
                self._socket.sendall(portion)
            _raise_what_came_back(self._socket)
        except OSError as error:
            self.close()
            raise DeliveryFailed(_said(error)) from None

    def close(self) -> None:
        """Let the socket go."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self) -> socket.socket:
        if self._scheme == "unix":
            found = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            found.settimeout(TIMEOUT)
            try:
                found.connect(self._path)
            except OSError:
                found.close()
                raise
            return found
        if self._scheme == "tcp":
            return socket.create_connection(self._place, TIMEOUT)
        family, kind, protocol, _, place = socket.getaddrinfo(*self._place, type=socket.SOCK_DGRAM)[0]
        found = socket.socket(family, kind, protocol)
        found.settimeout(TIMEOUT)
        found.connect(place)  # so that a refusal comes back as an error
        return found

    def _ended(self) -> bool:
        """Whether the other side has ended the stream, which the first write after that does not tell."""
        if not self.streams or self._socket is None:
            return False
        self._socket.settimeout(0)
        try:
            while self._socket.recv(65536):
                pass  # receivers have nothing to say
        except BlockingIOError:
            return False
        finally:
            self._socket.settimeout(TIMEOUT)
        return True


def _raise_what_came_back(used: socket.socket) -> None:
    """Raise ``OSError`` where the last datagram was refused already: nobody on this machine listens there."""
    if refused := used.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(refused, os.strerror(refused))


def _said(error: OSError) -> str:
    """Say what went wrong, without repeating where."""
    if isinstance(error, TimeoutError):
        return f"the receiver did not take all within {TIMEOUT:g} s"
    return f"the receiver cannot be reached: {(error.strerror or 'unknown error').lower()}"
