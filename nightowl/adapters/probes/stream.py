"""A connection of which every wait ends by the deadline, plain or over TLS.

TLS runs over memory (``ssl.MemoryBIO``), not over the socket: a timeout of a socket bounds one wait of a handshake,
not the handshake, so that a peer which drips bytes would never come to its end.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic, sleep
from typing import TypeVar

T = TypeVar("T")

_CHUNK = 16384


class Stream:
    """Bytes to and from the peer of a connected socket; ``deadline`` in monotonic seconds.

    All methods raise ``TimeoutError`` at the deadline and ``OSError`` for what happens to the socket, of which
    ``ssl.SSLError`` is one.
    """

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self.deadline = deadline
        self._connection = connection
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()

    def send(self, data: bytes) -> None:
        """Send all of ``data``."""
        if self._tls is None:
            self._put(data)
        else:
            self._drive(partial(self._tls.write, data))

    def receive(self) -> bytes:
        """Whatever comes next, at most 16 KiB; empty once the peer has closed."""
        if self._tls is None:
            return self._get()
        try:
            return self._drive(partial(self._tls.read, _CHUNK))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def begin(self, context: ssl.SSLContext, host: str) -> ssl.SSLObject:
        """Put TLS over the connection; the handshake is still to be made."""
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        return self._tls

    def handshake(self) -> None:
        """Make the handshake of what was begun."""
        assert self._tls is not None
        self._drive(self._tls.do_handshake)

    def attend(self, enough: Callable[[], bool]) -> None:
        """Take in what the peer of a TLS connection says beside data, until it is ``enough``."""
        assert self._tls is not None
        while not enough():
            with suppress(ssl.SSLWantReadError):
                self._tls.read(_CHUNK)
            if not enough():
                self._feed()

    def _drive(self, step: Callable[[], T]) -> T:
        """Take a step of TLS as often as it needs to be told more."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
            except ssl.SSLError:
                with suppress(OSError):  # the alert is for the peer; why it was raised is what matters here
                    self._flush()
                raise
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        if data := self._outgoing.read():
            self._put(data)

    def _feed(self) -> None:
        if data := self._get():
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _put(self, data: bytes) -> None:
        self._connection.settimeout(self._left())
        self._connection.sendall(data)

    def _get(self) -> bytes:
        sleep(0)  # a greenlet whose peer never stops to talk would never let others run
        self._connection.settimeout(self._left())
        return self._connection.recv(_CHUNK)

    def _left(self) -> float:
        left = self.deadline - monotonic()
        if left <= 0:
            raise TimeoutError
        return left
