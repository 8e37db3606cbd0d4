"""The few AMQP 0-9-1 methods that are read and written here after py-amqp has done the handshake."""

from __future__ import annotations

from struct import Struct, error, unpack_from

from nightowl.adapters.celery_cluster.events.frames import METHOD, NotAmqp, frame

_SIGNATURE = Struct(">HH")

_CLOSE = (10, 50)
_CHANNEL_CLOSE = (20, 40)
_CANCEL = (60, 30)
_DECLARE, _DECLARE_OK = (50, 10), (50, 11)


class Ended(Exception):
    """The broker has ended the connection, the channel or the queue; the message is why."""


def ask_length(channel: int, queue: str) -> bytes:
    """Return what asks how many messages wait in a queue: a passive ``queue.declare``."""
    name = queue.encode()
    passive, arguments = b"\x01", b"\0\0\0\0"
    reserved = b"\0\0"
    payload = _SIGNATURE.pack(*_DECLARE) + reserved + bytes((len(name),)) + name + passive + arguments
    return frame(METHOD, channel, payload)


def close() -> bytes:
    """Return what says goodbye: ``connection.close``."""
    return frame(METHOD, 0, _SIGNATURE.pack(*_CLOSE) + Struct(">HBHH").pack(200, 0, 0, 0))


def length(method: bytes) -> int | None:
    """Return how many messages wait, where a method's payload answers that.

    Raises ``Ended`` at a method that ends the stream, and ``NotAmqp`` at what is none.
    """
    try:
        signature = _SIGNATURE.unpack_from(method)
        if signature in (_CLOSE, _CHANNEL_CLOSE):
            code, size = unpack_from(">HB", method, 4)
            raise Ended(f"{method[7 : 7 + size].decode('utf-8', 'replace')} ({code})")
        if signature == _CANCEL:
            raise Ended("the queue of events was deleted")
        return int(unpack_from(">I", method, 5 + method[4])[0]) if signature == _DECLARE_OK else None
    except (error, IndexError):
        raise NotAmqp from None
