"""Where StatsD listens: the URL that says so, and the sockets that reach it."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlsplit

ETHERNET = 1_432
"""Bytes of a datagram that fits into one frame of Ethernet with all headers."""
LOCAL = 8_192
"""Bytes of a datagram to a socket of this machine: what DogStatsD's agent takes."""
STREAM = 65_536
"""Bytes that are written to a connection at once."""

PORT = 8125
"""Where StatsD listens unless told otherwise."""
CONNECT = 2.0
"""Seconds to connect, and to write."""

DIALECTS = ("none", "dogstatsd", "influx", "graphite")


class Address(NamedTuple):
    """A receiver of StatsD lines: ``kind`` is udp, tcp or unix; a unix socket has a path, others host and port."""

    kind: str
    host: str = ""
    port: int = PORT
    path: str = ""
    tags: str = "none"
    prefix: str = "celery."

    @property
    def size(self) -> int:
        """Bytes of a packet at most."""
        return {"udp": ETHERNET, "unix": LOCAL, "tcp": STREAM}[self.kind]


def address(url: str, tags: str | None = None, prefix: str | None = None) -> Address:
    """Read ``udp://HOST[:PORT]``, ``tcp://HOST[:PORT]`` or ``unix:///PATH``, with ``?tags=`` and ``&prefix=`` behind.

    Without a port it is StatsD's own, ``PORT``.
    ``tags`` and ``prefix``, where given, come before those of the URL. Raises ``ValueError`` for what cannot be meant.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(options) - {"tags", "prefix"})
    if unknown:
        raise ValueError(f"statsd: {unknown[0]!r} in the URL; allowed are tags and prefix")
    found = tags if tags is not None else options.get("tags", "none")
    if found not in DIALECTS:
        raise ValueError(f"statsd: tags = {found!r}; allowed is one of {', '.join(DIALECTS)}")
    told = prefix if prefix is not None else options.get("prefix", "celery.")
    return _place(url, parts)._replace(tags=found, prefix=told)


def _place(url: str, parts: SplitResult) -> Address:
    if parts.scheme == "unix" and parts.path:
        return Address("unix", path=parts.path)
    with suppress(ValueError):  # a port that is no number, or too great, says so when it is read
        port = PORT if parts.port is None else parts.port
        if parts.scheme in ("udp", "tcp") and parts.hostname and port:
            return Address(parts.scheme, host=parts.hostname, port=port)
    allowed = f"udp://HOST[:PORT], tcp://HOST[:PORT] (without a port: {PORT}) or unix:///PATH"
    raise ValueError(f"statsd: {url!r}; allowed is {allowed}")


class Line:
    """A socket to an address: made when something is sent, and again after a failure."""

    def __init__(self, to: Address) -> None:
        self._to = to
        self._socket: socket.socket | None = None

    def send(self, packet: bytes) -> None:
        """Send a packet. Raises ``OSError`` where it went nowhere, as far as can be known."""
        if self._socket is None:
            self._socket = self._connected()
        try:
            self._socket.sendall(packet) if self._to.kind == "tcp" else self._socket.send(packet)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        to = self._to
        if to.kind == "tcp":
            return socket.create_connection((to.host, to.port), CONNECT)
        where: Any = to.path
        if to.kind == "unix":
            made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            made.settimeout(CONNECT)
        else:
            family, kind, protocol, _, where = socket.getaddrinfo(to.host, to.port, type=socket.SOCK_DGRAM)[0]
            made = socket.socket(family, kind, protocol)
        try:
            made.connect(where)
        except OSError:
            made.close()
            raise
        return made
