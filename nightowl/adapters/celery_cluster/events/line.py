"""A connected socket that is read without blocking, plain or TLS."""

from __future__ import annotations

import select
import socket
import ssl
from contextlib import suppress

CHUNK = 64 * 1024
"""Bytes that are read at once at most. With more hiredis gets slow: it moves all that is left after each message."""

KEEPALIVE = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 15_000}
"""Seconds of silence, seconds between probes, and probes until the kernel holds a connection for lost; milliseconds
for which what was sent may be unconfirmed (py-amqp has one second, which a busy broker may need)."""

_NOT_NOW = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Line:
    """One thread reads it. Raises ``OSError`` once the other side is gone."""

    def __init__(self, sock: socket.socket) -> None:
        _keep_alive(sock)
        sock.setblocking(False)
        self._sock = sock
        self._room = memoryview(bytearray(CHUNK))
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    def receive(self) -> memoryview:
        """Return what has arrived (nothing: an empty one). It holds until the next call."""
        try:
            count = self._sock.recv_into(self._room)
        except _NOT_NOW:
            return self._room[:0]
        if not count:
            raise ConnectionResetError("the other side closed the connection")
        return self._room[:count]

    def wait(self, seconds: float) -> None:
        """Wait until something arrives, for as long at most."""
        if not (isinstance(self._sock, ssl.SSLSocket) and self._sock.pending()):
            self._poll.poll(seconds * 1000)

    def send(self, data: bytes) -> None:
        """Send a few bytes. A connection that does not take them is of no use any more."""
        try:
            sent = self._sock.send(data)
        except _NOT_NOW:
            sent = 0
        if sent != len(data):
            raise TimeoutError("the other side takes nothing any more")

    def close(self) -> None:
        """Give the socket back."""
        with suppress(OSError):
            self._sock.close()


def _keep_alive(sock: socket.socket) -> None:
    """Let the kernel notice when the other side has gone without a word."""
    if sock.family == socket.AF_UNIX:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if number := getattr(socket, name, None):  # not on every system
            sock.setsockopt(socket.IPPROTO_TCP, number, value)
