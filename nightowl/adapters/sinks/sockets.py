"""Sockets to receivers, opened when first needed, bounded in time, opened anew after a fault."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from nightowl.core.errors import DeliveryFailed
from nightowl.core.transfers import meaning

TIMEOUT = 5.0
"""Seconds that connecting, or sending one portion, may take."""

REFUSAL = 0.2
"""Seconds within which a refusal of a datagram comes back."""

_DEFAULT_PORT = 8125


class Line:
    """A socket to ``udp://host:port``, ``tcp://host:port`` or ``unix:///path`` (datagrams)."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._scheme = parts.scheme
        self._path = parts.path
        self._place = (parts.hostname or "", parts.port or _DEFAULT_PORT)
        self._socket: socket.socket | None = None
        self._refused: OSError | None = None

    @property
    def streams(self) -> bool:
        """Whether it is a stream, in which each line needs an end."""
        return self._scheme == "tcp"

    def send(self, portions: Iterable[bytes]) -> None:
        """Send portions, each as a datagram where it is no stream. Raises ``DeliveryFailed``.

        Where datagrams were refused, nothing is said to arrive before one was not.
        """
        try:
            if self._socket is None or self._ended():
                self.close()
                self._socket = self._open()
            for portion in portions:
                self._socket.sendall(portion)
                self._hear_refusal()
            _raise_what_came_back(self._socket)
            if self._refused is not None:
                raise self._refused
        except OSError as error:
            self.close()
            self._refused = error if self._scheme == "udp" and isinstance(error, ConnectionRefusedError) else None
            raise DeliveryFailed(_said(error)) from None

    def close(self) -> None:
        """Let the socket go."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _hear_refusal(self) -> None:
        """After a refusal: wait for that of the next datagram, and take it for delivered where none comes."""
        if self._refused is not None and self._socket is not None:
            poll = select.poll()
            poll.register(self._socket, 0)  # errors are told without being asked for
            if not poll.poll(REFUSAL * 1000):
                self._refused = None

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
    if isinstance(error, ConnectionRefusedError):
        return meaning(7)
    return f"the receiver cannot be reached: {(error.strerror or 'unknown error').lower()}"
