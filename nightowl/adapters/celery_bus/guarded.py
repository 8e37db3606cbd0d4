"""Connections on which a stranger's message can do no more than be refused.

kombu decompresses whatever says that it is compressed, into as much memory as that takes, decodes bodies of any size,
and ends the connection over what it cannot read, whereupon the broker delivers it again. Messages of NightOwl are
small and never compressed. Here any other arrives without its body, and says in ``unfit`` why; its consumer refuses it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import amqp
import kombu
from amqp.method_framing import frame_handler
from kombu.transport import pyamqp

LARGEST = 2 * 1024 * 1024
"""Bytes of a message's body at most, in base64 where a transport carries it so. One of ours has some 60 KiB, or what
a single check or outcome takes that is larger, and twice that while its location has two keys."""

LONGEST = 0.2
"""Seconds for which a connection waits for a message at most. Celery's worker asks it to wait for two, and looks only
in between whether it is to end."""

STRANGE = "nothing that a Celery program sends"

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
"""What kombu raises at a message whose parts are not of the kinds that they should be."""

_HEADER = 2
"""AMQP's type of a frame that holds a message's properties."""

_BARE = 12
"""Bytes of such a frame before the properties: class, weight and size of the body."""


class Connection(kombu.Connection):
    """kombu's connection, its messages guarded."""

    def drain_events(self, timeout: float | None = None, **kwargs: Any) -> Any:
        """Wait for a message, for ``LONGEST`` at most. Raises ``TimeoutError`` where none came."""
        return super().drain_events(timeout=LONGEST if timeout is None else min(timeout, LONGEST), **kwargs)

    def get_transport_cls(self) -> Any:
        """The transport of the URL, with channels whose messages are guarded."""
        return _guarded(super().get_transport_cls())


@cache
def _guarded(transport: Any) -> Any:
    if not issubclass(transport, pyamqp.Transport):
        message = type("Message", (_PolledMessage, transport.Channel.Message), {})
        channel = type("Channel", (transport.Channel,), {"Message": message})
        return type("Transport", (_PolledTransport, transport), {"Channel": channel})
    channel = type("Channel", (transport.Connection.Channel,), {"Message": _AmqpMessage})
    connection = type("Connection", (_AmqpConnection, transport.Connection), {"Channel": channel})
    return type("Transport", (transport,), {"Connection": connection})


def _unfit(headers: object, body: Any) -> str:
    """Why a message is to be refused unread, empty: it is not."""
    if isinstance(headers, Mapping) and headers.get("compression"):
        return "a compressed message"
    return "a message that is too large" if body and len(body) > LARGEST else ""


class _PolledMessage:
    """A message of a transport of kombu's own making, whose sender chose everything in it."""

    unfit: str

    def __init__(self, payload: dict[str, Any], channel: Any = None, **kwargs: Any) -> None:
        try:
            self.unfit = _unfit(payload.get("headers"), payload.get("body"))
            if not self.unfit:
                super().__init__(payload, channel=channel, **kwargs)  # type: ignore[call-arg]  # a base beside this one
                return
        except UNREADABLE:
            self.unfit = STRANGE
        super().__init__({"properties": payload["properties"]}, channel=channel, **kwargs)  # type: ignore[call-arg]


class _PolledTransport:
    """A transport on which a message belongs to the queue that it came from, whatever it says itself.

    kombu gives back what was not acknowledged to where the message says that it was sent.
    """

    def _deliver(self, message: object, queue: str) -> None:
        super()._deliver(_addressed(message, queue), queue)  # type: ignore[misc]  # of a base beside this one


def _addressed(payload: object, queue: str) -> dict[str, Any]:
    """Return a message whose properties are sound: it was sent to this queue, and can be acknowledged."""
    parts = payload if isinstance(payload, dict) else {}
    given = parts.get("properties")
    properties = given if isinstance(given, dict) else {}
    tag = properties.get("delivery_tag")
    sound = {
        "delivery_tag": tag if isinstance(tag, str) else uuid.uuid4().hex,
        "delivery_info": {"exchange": "", "routing_key": queue},
    }
    return parts | {"properties": properties | sound}


class _AmqpMessage(pyamqp.Message):
    """A message of RabbitMQ, which vouches for its delivery."""

    unfit: str

    def __init__(self, msg: Any, channel: Any = None, **kwargs: Any) -> None:
        self.unfit = _unfit(msg.properties.get("application_headers"), msg.body)
        if self.unfit:
            msg.properties, msg.body = {}, b""
        super().__init__(msg, channel=channel, **kwargs)


class _AmqpConnection:
    """A connection that survives properties that are no text: a message arrives without such."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, frame_handler=_frame_handler, **kwargs)  # type: ignore[call-arg]  # a base beside this


def _frame_handler(connection: Any, callback: Callable[..., None]) -> Callable[[tuple[int, int, Any]], bool]:
    handle = frame_handler(connection, callback)

    def on_frame(frame: tuple[int, int, Any]) -> bool:
        kind, channel, data = frame
        if kind == _HEADER:
            try:
                amqp.Message().inbound_header(data)
            except Exception:  # noqa: BLE001 - the driver raises what it likes at bytes that a stranger chose
                frame = (kind, channel, bytes(data[:_BARE]) + bytes(2))
        return bool(handle(frame))

    return on_frame
