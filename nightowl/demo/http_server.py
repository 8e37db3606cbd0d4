"""A small HTTP/1.1 server: one request a connection, one function that answers.

It is polled from several locations at once by checks that open a fresh connection for each attempt, so it does the
least that is needed, straight on asyncio's callbacks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus

import msgspec

from nightowl.demo.loopback import Loopback

_LARGEST_HEAD = 64 * 1024
_LARGEST_BODY = 1024 * 1024
_LONGEST = 30.0


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asked; the names of ``headers`` are in lower case, ``path`` is without the query."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What it gets; ``after`` so many seconds."""

    body: str
    status: int = 200
    type: str = "text/html; charset=utf-8"
    after: float = 0.0


class HttpConnection(asyncio.Protocol):
    """A connection of ``loopback``; ``answer`` runs on its loop and must not block."""

    _transport: asyncio.Transport
    _end: asyncio.TimerHandle

    def __init__(self, loopback: Loopback, answer: Callable[[Request], Answer]) -> None:
        self._loopback = loopback
        self._answer = answer
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, with an end in sight."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._loopback.connections.add(transport)
        self._end = self._loopback.loop.call_later(_LONGEST, transport.abort)

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget it."""
        self._loopback.connections.discard(self._transport)
        self._end.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a whole request is there; whoever sends garbage is not worth an answer."""
        self._received += data
        try:
            request = parse(self._received)
        except ValueError:
            self._transport.abort()
            return
        if request is not None:
            self._transport.pause_reading()
            answer = self._answer(request)
            self._loopback.loop.call_later(answer.after, self._send, answer, request.method != "HEAD")

    def _send(self, answer: Answer, with_body: bool) -> None:
        self._transport.write(_encode(answer, with_body=with_body))
        self._transport.close()


def parse(received: bytes) -> Request | None:
    """Read a request (None: there is more to come).

    Raises:
        ValueError: it is none, or too large.
    """
    head, end, body = received.partition(b"\r\n\r\n")
    if len(head) > _LARGEST_HEAD:
        raise ValueError("too large a head")
    if not end:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _version = first.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= _LARGEST_BODY:
        raise ValueError("too large a body")
    if len(body) < length:
        return None
    return Request(method=method, path=target.partition("?")[0], headers=headers, body=body[:length])


def _encode(answer: Answer, *, with_body: bool) -> bytes:
    body = answer.body.encode()
    head = (
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
        f"Content-Type: {answer.type}\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + (body if with_body else b"")
