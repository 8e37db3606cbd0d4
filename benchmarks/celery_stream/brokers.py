"""Ways into brokers that cost the publisher little: it shares its machine with what is measured."""

from __future__ import annotations

import json
import socket
import struct
from binascii import b2a_base64
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple, Protocol

import amqp


class Portion(NamedTuple):
    """Messages as a broker is sent them."""

    data: bytes
    messages: int


class Outlet(Protocol):
    """Takes messages and sends them in portions."""

    def put(self, key: str, body: bytes) -> None:
        """Have this message in the next portion."""

    def portion(self) -> Portion:
        """All that was put since the last one."""

    def send(self, portion: Portion) -> None:
        """Send a portion, now or much later than it was made."""

    def end(self) -> int:
        """Wait until all was taken; how many messages nobody heard."""


@contextmanager
def outlet(url: str) -> Iterator[Outlet]:
    """The one for a broker on this machine."""
    host, _, name = url.rpartition("@")[2].removeprefix("redis://").partition("/")
    if url.startswith("redis"):
        address, _, port = host.partition(":")
        with socket.create_connection((address, int(port))) as sock:
            yield _Redis(sock, name)
        return
    patience = {socket.TCP_USER_TIMEOUT: 60_000}  # a broker that is full slows publishers down
    with amqp.Connection(host, virtual_host=name, socket_settings=patience) as connection:
        channel = connection.channel()
        channel.exchange_declare("celeryev", "topic", durable=True, auto_delete=False)
        yield _RabbitMQ(connection, channel)


class _Parts:
    """What was put since the last portion."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._put = 0

    def _add(self, *parts: bytes) -> None:
        self._parts += parts
        self._put += 1

    def portion(self) -> Portion:
        found = Portion(b"".join(self._parts), self._put)
        self._parts.clear()
        self._put = 0
        return found


class _Redis(_Parts):
    """PUBLISH of kombu's envelopes, and the answers to it, which say how many subscribers there are."""

    def __init__(self, sock: socket.socket, number: str) -> None:
        super().__init__()
        self._sock = sock
        self._number = number
        self._sent = self._answered = self._unheard = 0
        self._rest = b""

    def put(self, key: str, body: bytes) -> None:
        channel, before, after = self._frame(key)
        text = b2a_base64(body, newline=False)
        size = len(before) + len(text) + len(after) - 2
        self._add(channel, b"$%d\r\n" % size, before, text, after)

    @cache  # noqa: B019 - a few keys, and it lives as long as the process
    def _frame(self, key: str) -> tuple[bytes, bytes, bytes]:
        channel = f"/{self._number}.celeryev/{key}".encode()
        envelope = {
            "body": "", "content-encoding": "utf-8", "content-type": "application/json",
            "headers": {"hostname": "celery@web-1"},
            "properties": {
                "delivery_mode": 1, "delivery_info": {"exchange": "celeryev", "routing_key": key}, "priority": 0,
                "body_encoding": "base64", "delivery_tag": "7d7e2c6e-9cf1-4a4e-8f0c-2f2b4f7a6c10",
            },
        }  # fmt: skip
        before, _, after = json.dumps(envelope).encode().partition(b'""')
        head = b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n" % (len(channel), channel)
        return head, before + b'"', b'"' + after + b"\r\n"

    def send(self, portion: Portion) -> None:
        self._sock.sendall(portion.data)
        self._sent += portion.messages
        self._listen(self._sent - 5_000)

    def end(self) -> int:
        self._listen(self._sent)
        return self._unheard

    def _listen(self, until: int) -> None:
        """Read answers: all that are there, and until so many have come."""
        while self._answered < self._sent:
            try:
                data = self._sock.recv(65_536, 0 if self._answered < until else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            *lines, self._rest = (self._rest + data).split(b"\r\n")
            self._answered += len(lines)
            self._unheard += lines.count(b":0")


class _RabbitMQ(_Parts):
    """Frames of basic.publish, made here."""

    def __init__(self, connection: amqp.Connection, channel: amqp.Channel) -> None:
        super().__init__()
        self._connection = connection
        self._channel = channel
        self._sock: socket.socket = connection.transport.sock
        self._properties = amqp.Message(  # noqa: SLF001 - the bytes that a frame has of them
            content_type="application/json",
            content_encoding="utf-8",
            application_headers={"hostname": "celery@web-1"},
            delivery_mode=1,
        )._serialize_properties()

    def put(self, key: str, body: bytes) -> None:
        head = struct.pack(">HHQ", 60, 0, len(body)) + self._properties
        self._add(self._method(key), self._frame(2, head), self._frame(3, body))

    @cache  # noqa: B019
    def _method(self, key: str) -> bytes:
        names = b"".join(struct.pack("B", len(each)) + each for each in (b"celeryev", key.encode()))
        return self._frame(1, struct.pack(">HHH", 60, 40, 0) + names + b"\0")

    def _frame(self, kind: int, payload: bytes) -> bytes:
        return b"%b%b\xce" % (struct.pack(">BHI", kind, self._channel.channel_id, len(payload)), payload)

    def send(self, portion: Portion) -> None:
        self._sock.sendall(portion.data)

    def end(self) -> int:
        self._channel.queue_declare("", passive=False, exclusive=True)  # its answer comes behind all of that
        return 0
