"""AMQP 0-9-1 frames, split out of a stream of bytes (https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf, 4.2.3).

A frame is a type (1 byte), a channel (2), a size (4), as many bytes, and 0xCE. A delivery is a method frame, a header
frame with the body's size and properties, and as many body frames as it takes. py-amqp does the same in Python for each
field; here only what is needed is looked at.
"""

from __future__ import annotations

from struct import Struct

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
END = 0xCE
DELIVER = b"\x00\x3c\x00\x3c"

BEAT = bytes((HEARTBEAT, 0, 0, 0, 0, 0, 0, END))
"""A heartbeat frame."""

_HEAD = Struct(">BHI")
_BODY_SIZE = Struct(">Q")
_KINDS = (METHOD, HEADER, BODY, HEARTBEAT)


class NotAmqp(Exception):
    """The bytes are no frames, or not in an order that they can come in."""


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    """Return a frame's bytes."""
    return _HEAD.pack(kind, channel, len(payload)) + payload + bytes((END,))


class Splitter:
    """Splits what arrives into deliveries and methods.

    ``deliveries`` are pairs of a header frame's payload and a body (None: larger than ``largest`` bytes, not kept);
    ``methods`` are payloads of all other method frames. Both are for the reader to clear.
    """

    def __init__(self, frame_max: int, largest: int) -> None:
        self._frame_max = frame_max
        self._largest = largest
        self._rest = b""
        self._header: bytes | None = None
        self._missing = 0
        self._kept = True
        self._parts: list[bytes] = []
        self.deliveries: list[tuple[bytes, bytes | None]] = []
        self.methods: list[bytes] = []

    def feed(self, data: bytes | memoryview) -> None:
        """Split some more bytes, however they were cut. Raises ``NotAmqp``."""
        buffer = b"".join((self._rest, data))
        at, end = 0, len(buffer)
        unpack = _HEAD.unpack_from
        while end - at > 7:
            kind, _, size = unpack(buffer, at)
            stop = at + 7 + size
            if size > self._frame_max or kind not in _KINDS:
                raise NotAmqp
            if stop >= end:
                break
            if buffer[stop] != END:
                raise NotAmqp
            if kind == METHOD:
                if buffer[at + 7 : at + 11] != DELIVER:
                    self.methods.append(buffer[at + 7 : stop])
            elif kind == HEADER:
                self._begin(buffer[at + 7 : stop])
            elif kind == BODY:
                self._more(buffer[at + 7 : stop])
            at = stop + 1
        self._rest = buffer[at:]

    def _begin(self, header: bytes) -> None:
        if len(header) < 14 or self._header is not None:
            raise NotAmqp
        (self._missing,) = _BODY_SIZE.unpack_from(header, 4)
        self._header = header
        self._kept = self._missing <= self._largest
        if not self._missing:
            self._done(b"")

    def _more(self, part: bytes) -> None:
        self._missing -= len(part)
        if self._header is None or self._missing < 0:
            raise NotAmqp
        if not self._missing and not self._parts:
            self._done(part)
            return
        if self._kept:
            self._parts.append(part)
        if not self._missing:
            self._done(b"".join(self._parts))

    def _done(self, body: bytes) -> None:
        assert self._header is not None
        self.deliveries.append((self._header, body if self._kept else None))
        self._header, self._parts = None, []
