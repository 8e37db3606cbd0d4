"""The way of a canary through RabbitMQ: an exclusive queue for the reply, which goes with our connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any
from urllib.parse import SplitResult, unquote

import amqp
from amqp.exceptions import AMQPError
from amqp.transport import AMQP_PROTOCOL_HEADER, TCPTransport

from nightowl.adapters.probes import canary as canaries
from nightowl.adapters.probes.canary import Canary
from nightowl.adapters.probes.failure import Failure
from nightowl.adapters.probes.stream import Stream

EXCHANGE = "amq.direct"
"""The exchange that carries the reply: every virtual host has it."""
MAX_HEARD = 1 << 20
"""Bytes that a broker may say in one attempt."""


class RabbitLane:
    """An implementation of ``canary.Lane`` on a connection to RabbitMQ."""

    def __init__(self, stream: Stream, url: SplitResult) -> None:
        """Sign in as the URL says."""
        self._stream = stream
        self._replies: list[Any] = []
        self._consumers = 0
        self._waiting = 0
        self._connection = _Connection(
            stream,
            host=url.hostname or "",
            authentication=amqp.sasl.PLAIN(unquote(url.username or "guest"), unquote(url.password or "guest")),
            virtual_host=unquote(url.path[1:]) or "/",
        )
        try:
            self._connection.connect()
            self._channel = self._connection.channel()
        except AMQPError as error:
            raise _refused(error) from None
        except (ValueError, TypeError, KeyError, IndexError):  # what the library makes of noise
            raise Failure("celery.broker", "what answers is no RabbitMQ") from None

    def open(self, canary: Canary) -> None:
        """Make sure that somebody consumes the queue, and make one for the reply."""
        try:
            found = self._channel.queue_declare(queue=canary.queue, passive=True)
        except amqp.NotFound:
            raise Failure("celery.no_worker", f"there is no queue named {canary.queue}") from None
        except AMQPError as error:
            raise _refused(error) from None
        self._consumers, self._waiting = found.consumer_count, found.message_count
        if not self._consumers:
            what = f"no worker consumes the queue {canary.queue}{canaries.backlog(self._waiting)}"
            raise Failure("celery.no_worker", what)
        try:
            self._channel.queue_declare(queue=canary.reply, exclusive=True, auto_delete=True)
            self._channel.queue_bind(queue=canary.reply, exchange=EXCHANGE, routing_key=canary.reply)
            self._channel.basic_consume(queue=canary.reply, no_ack=True, callback=self._replies.append)
        except AMQPError as error:
            raise _refused(error) from None

    def send(self, canary: Canary) -> None:
        """Put the canary into its queue, from which the broker takes it when the attempt is over."""
        message = amqp.Message(
            canaries.body(EXCHANGE, canary.reply).decode(),
            content_type=canaries.CONTENT_TYPE,
            content_encoding="utf-8",
            application_headers=canaries.headers(canary),
            correlation_id=canary.id,
            delivery_mode=1,
            expiration=str(max(1, int((self._stream.deadline - monotonic()) * 1000))),
        )
        self._channel.basic_publish(message, exchange="", routing_key=canary.queue)

    def wait(self, canary: Canary, deadline: float) -> bool:
        """Wait for the reply."""
        last, self._stream.deadline = self._stream.deadline, deadline
        try:
            while not any(canaries.answers(canary, message.headers) for message in self._replies):
                self._connection.drain_events()
        except TimeoutError:
            return False
        except AMQPError as error:
            raise _refused(error) from None
        finally:
            self._stream.deadline = last
        return True

    def close(self, canary: Canary, answered: bool) -> str:  # noqa: ARG002  the queue of the reply needs no care
        """Part from the broker, which then forgets the queue of the reply."""
        with suppress(OSError, AMQPError, Failure):
            self._connection.close()
        return ""


class _Connection(amqp.Connection):  # type: ignore[misc]  # the library is not typed
    """A connection over a stream in place of a socket that the library would open itself."""

    def __init__(self, stream: Stream, **options: Any) -> None:
        super().__init__(heartbeat=0, **options)
        self._stream = stream

    def Transport(self, host: str, *_: Any, **__: Any) -> _Transport:  # noqa: N802  the library's name
        """The transport that the library is to use."""
        return _Transport(host, self._stream)


class _Transport(TCPTransport):  # type: ignore[misc]  # the library is not typed
    """The library's transport, reading from and writing to a stream, whose deadline bounds every wait."""

    def __init__(self, host: str, stream: Stream) -> None:
        super().__init__(host)
        self._stream = stream
        self._unread = b""
        self._heard = 0

    def connect(self) -> None:
        """Begin to speak AMQP 0-9-1."""
        self._read_buffer = b""
        self._write = self._stream.send
        self._quick_recv = self._receive
        self._write(AMQP_PROTOCOL_HEADER)
        self.connected = True

    @contextmanager
    def having_timeout(self, timeout: float | None) -> Iterator[None]:
        """Wait as long as the stream does; the library hears nothing where it would not wait at all."""
        if timeout == 0:
            raise TimeoutError
        yield

    def close(self) -> None:
        """Leave the connection to whom it belongs."""
        self.connected = False

    def _receive(self, at_most: int) -> bytes:
        if not self._unread:
            self._unread = self._stream.receive()
            self._heard += len(self._unread)
        if self._heard > MAX_HEARD:
            raise Failure("limit.body", "the broker said more than 1 MiB")
        taken, self._unread = self._unread[:at_most], self._unread[at_most:]
        return taken


def _refused(error: AMQPError) -> Failure:
    said = getattr(error, "reply_text", "") or type(error).__name__
    return Failure("celery.broker", f"the broker refused: {said}")
