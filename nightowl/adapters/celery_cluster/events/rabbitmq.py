"""Events from RabbitMQ: py-amqp for the handshake and a queue of our own, then our own splitter over its socket.

The queue is exclusive, so it and what waits in it go with the connection. Messages are not acknowledged: the broker
sends as fast as the socket takes them, the rest waits in the queue, which is bounded (``overflow``).
"""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import amqp

from nightowl.adapters.celery_cluster.events.amqp_methods import ask_length, close, length
from nightowl.adapters.celery_cluster.events.decode import LARGEST, Label, Sieve
from nightowl.adapters.celery_cluster.events.frames import BEAT, Splitter
from nightowl.adapters.celery_cluster.events.line import Line
from nightowl.adapters.celery_cluster.events.overflow import WAITING, Overflow
from nightowl.adapters.celery_cluster.events.serialisation import TOO_LARGE
from nightowl.adapters.celery_cluster.events.stream import Stream
from nightowl.adapters.celery_cluster.place import Place
from nightowl.adapters.celery_cluster.tls import Told, tls
from nightowl.core.cluster.events import Gap
from nightowl.core.cluster.settings import Tls
from nightowl.ports.clock import Clock

PATIENCE = 5.0
"""Seconds to connect, and to wait for each answer while doing so."""

HEARTBEAT = 10
"""Seconds (whole ones, as AMQP wants) after twice as many of which the broker gives us up when we say nothing."""

LOOK, LOOK_BUSY = 1.0, 0.25
"""Seconds between looks at the queue's length, and while something waits in it."""

SILENCE = 10.0
"""Seconds without a byte, a look being unanswered, after which a connection is lost."""

MOST = 4 * 1024 * 1024
"""Bytes after which a read returns, whatever came of them."""

PORT, TLS_PORT = 5672, 5671

_KNOWN = (403, 406)
"""What RabbitMQ says where we may not declare an exchange, or it is there and not as Celery declares it."""


class RabbitStream:
    """A connection that consumes a queue."""

    def __init__(self, connection: Any, channel: int, queue: str, clock: Clock) -> None:
        self._connection = connection
        self._line = Line(connection.sock)
        self._splitter = Splitter(connection.frame_max, LARGEST)
        self._look_frame = ask_length(channel, queue)
        self._overflow = Overflow()
        self._clock = clock
        self.since = self.sure = self._before = clock.now()
        self._asked: float | None = None
        """When the look was sent that is not answered (Unix seconds)."""
        self._looked = self._beaten = self._heard = clock.monotonic()
        self._every = LOOK
        self._left = bytes(connection.transport._read_buffer)  # noqa: SLF001 - what came with the last answer
        connection.transport._read_buffer = b""  # noqa: SLF001

    def pump(self, sieve: Sieve, seconds: float) -> Gap | None:
        """Give the sieve what has arrived, waiting for the first of it. A gap: the queue was too long."""
        self._beat()
        left, self._left = self._left, b""
        data: bytes | memoryview = left or self._line.receive()
        if not data:
            self._line.wait(seconds)
            data = self._line.receive()
        if not data:
            self._listen()
            return None
        self._heard = self._clock.monotonic()
        taken = 0
        while data:
            taken += len(data)
            self._splitter.feed(data)
            self._take(sieve)
            data = self._line.receive() if taken < MOST and not sieve.has_enough else b""
        return self._told()

    def _take(self, sieve: Sieve) -> None:
        take = sieve.take
        for header, body in self._splitter.deliveries:
            if body is None:
                sieve.refuse(TOO_LARGE)
            elif not take(body):
                sieve.take_strange(body, _label(header))
        self._splitter.deliveries.clear()

    def _told(self) -> Gap | None:
        """Read what the broker says itself."""
        found = None
        methods, self._splitter.methods = self._splitter.methods, []
        for method in methods:
            waiting = length(method)
            if waiting is not None and self._asked is not None:
                found = self._overflow.counted(waiting, self.sure, self._clock.now()) or found
                if not waiting:
                    # What was on its way from the queue may follow the answer; it had time until the next one.
                    self.sure, self._before = self._before, self._asked
                self._every = LOOK_BUSY if waiting else LOOK
                self._asked = None
        return found

    def _beat(self) -> None:
        now = self._clock.monotonic()
        if now - self._beaten >= HEARTBEAT / 3:
            self._beaten = now
            self._line.send(BEAT)
        if self._asked is None and now - self._looked >= self._every:
            self._asked, self._looked = self._clock.now(), now
            self._line.send(self._look_frame)

    def _listen(self) -> None:
        """Notice a connection over which nothing comes any more."""
        now = self._clock.monotonic()
        if self._asked is not None and now - max(self._heard, self._looked) > SILENCE:
            raise TimeoutError(f"no sign of life for {SILENCE:.0f} seconds")

    def close(self) -> None:
        """Say goodbye and give the connection back; the queue goes with it."""
        with suppress(OSError):
            self._line.send(close())
        with suppress(Exception):  # the driver tidies up a connection that may be in any state
            self._connection.collect()


def connector(
    places: Sequence[Place], options: Mapping[str, Any], told: Told, clock: Clock, exchange: str, prefix: str
) -> Callable[[], Stream]:
    """Return what connects to the places in turn and consumes the events of the exchange."""
    turn = -1

    def connect() -> Stream:
        nonlocal turn
        turn += 1
        place = places[turn % len(places)]
        connection = _connection(place, options, tls(told or _of_query(place), always=place.scheme == "amqps"))
        try:
            connection.connect()
            queue = f"{prefix}.{uuid.uuid4()}"
            channel = _consume(connection, exchange, queue)
            return RabbitStream(connection, channel, queue, clock)
        except BaseException:
            with suppress(Exception):
                connection.collect()
            raise

    return connect


def _of_query(place: Place) -> dict[str, str]:
    return {key: value for key, value in place.query.items() if key.startswith("ssl_")}


def _connection(place: Place, options: Mapping[str, Any], how: Tls | None) -> Any:
    host = place.host or "127.0.0.1"
    port = place.port or (TLS_PORT if how else PORT)
    return amqp.Connection(
        host=f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        userid=place.user or "guest",
        password=place.password or "guest",
        login_method=options.get("login_method") or "PLAIN",
        virtual_host=place.path or "/",
        ssl=_ssl(how, host) if how else False,
        connect_timeout=PATIENCE,
        read_timeout=PATIENCE,
        write_timeout=PATIENCE,
        heartbeat=HEARTBEAT,
        client_properties={"connection_name": "nightowl events"},
    )


def _ssl(how: Tls, host: str) -> dict[str, Any]:
    """Return what py-amqp takes. It checks the name if it is told one."""
    files = {"ca_certs": how.ca, "certfile": how.certificate, "keyfile": how.key}
    return {
        "cert_reqs": ssl.CERT_REQUIRED if how.verify else ssl.CERT_NONE,
        "server_hostname": host if how.verify and how.named else None,
    } | {key: path for key, path in files.items() if path}


def _consume(connection: Any, exchange: str, queue: str) -> int:
    """Declare and consume a queue on all events, with the exchange as Celery declares it; return the channel's number.

    Without Celery's ``x-expires`` and ``x-message-ttl``: the queue ends with the connection, and what is read late is
    better than what was never read.
    """
    channel = connection.channel()
    try:
        channel.exchange_declare(exchange, "topic", durable=True, auto_delete=False)
    except amqp.ChannelError as error:
        if error.reply_code not in _KNOWN:
            raise
        channel = connection.channel()
    channel.queue_declare(
        queue,
        durable=False,
        exclusive=True,
        auto_delete=True,
        arguments={"x-max-length": WAITING, "x-overflow": "drop-head"},
    )
    channel.queue_bind(queue, exchange, "#")
    channel.basic_consume(queue, no_ack=True, callback=lambda _: None)
    return int(channel.channel_id)


def _label(header: bytes) -> Label:
    message = amqp.Message()
    try:
        message.inbound_header(header)
        properties: dict[str, Any] = message.properties
        headers = properties.get("application_headers") or {}
        return Label(str(properties.get("content_type") or ""), bool(headers.get("compression")))
    except Exception:  # noqa: BLE001 - the driver raises what it likes at bytes that a stranger chose
        return Label("")
