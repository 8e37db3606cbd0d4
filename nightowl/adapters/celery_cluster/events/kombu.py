"""Events from any other broker that kombu knows: by kombu's own consumer, decoded as all others are."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import kombu

from nightowl.adapters.celery_cluster.events.decode import Label, Sieve
from nightowl.adapters.celery_cluster.events.envelope import STRANGE
from nightowl.adapters.celery_cluster.events.stream import Stream
from nightowl.adapters.celery_cluster.fault import CarriesNoEvents, NotSupported
from nightowl.adapters.celery_cluster.tls import Told
from nightowl.ports.clock import Clock

PATIENCE = 5.0
"""Seconds to connect."""

POLL = 0.05
"""Seconds between looks of a transport that has to look for messages, where ``polling_interval`` does not say."""

MOST = 500
"""Messages after which a read returns what it has."""

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What kombu raises at a message whose parts are not of the kinds that they should be. It has taken it by then."""

_FANOUT = ("redis", "gcpubsub")
"""Transports on which Celery's exchange of events is a fanout one (``celery.events.event.get_exchange``)."""


class KombuStream:
    """A consumer of a queue of our own."""

    def __init__(self, connection: Any, queue: Any, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._arrived: list[Any] = []
        channel = connection.channel()
        channel.Message = _never_inflated(channel.Message)
        self._queue = queue(channel)
        self._consumer = kombu.Consumer(channel, [self._queue], no_ack=True, on_message=self._arrived.append)
        self._consumer.consume()
        self.since = self.sure = clock.now()

    def pump(self, sieve: Sieve, seconds: float) -> None:
        """Give the sieve what has arrived, waiting for the first of it."""
        for _ in range(MOST):
            began = self._clock.now()
            try:
                self._connection.drain_events(timeout=max(seconds, 0.001))
            except TimeoutError:
                self.sure = began
                return
            except UNREADABLE:
                sieve.refuse(STRANGE)
            for message in self._arrived:
                _take(message, sieve)
            self._arrived.clear()
            seconds = 0.0

    def close(self) -> None:
        """Delete the queue, so that nothing more is put into it, and give the connection back."""
        with suppress(Exception):  # whatever the driver raises over a connection that may be lost
            self._consumer.cancel()
            self._queue.purge()
            self._queue.delete()
        with suppress(Exception):
            self._connection.release()


def connector(
    url: str, options: Mapping[str, Any], told: Told, clock: Clock, exchange: str, prefix: str
) -> Callable[[], Stream]:
    """Return what connects by kombu and consumes the events of the exchange."""

    def connect() -> Stream:
        transport_options = {"polling_interval": POLL} | dict(options)
        connection = kombu.Connection(
            url,
            transport_options=transport_options,
            ssl=dict(told) if isinstance(told, Mapping) else bool(told),
            connect_timeout=PATIENCE,
        )
        try:
            transport = _supported(connection)
            kind = "fanout" if transport.driver_type in _FANOUT else "topic"
            celeryev = kombu.Exchange(exchange, type=kind)
            queue = kombu.Queue(f"{prefix}.{uuid.uuid4()}", celeryev, routing_key="#", auto_delete=True, durable=False)
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
            return KombuStream(connection, queue, clock)
        except BaseException:
            with suppress(Exception):
                connection.release()
            raise

    return connect


def _supported(connection: Any) -> Any:
    """Return the transport.

    Raises ``CarriesNoEvents`` for one that knows no fanout, ``NotSupported`` where its driver is not installed.
    """
    try:
        transport = connection.transport
    except (ImportError, KeyError) as error:
        raise NotSupported(f"this kind of broker cannot be used here: {error}") from None
    if "fanout" not in transport.implements.exchange_type:
        raise CarriesNoEvents("this kind of broker carries no events of Celery")
    return transport


def _never_inflated(message: Any) -> Any:
    """Return kombu's class of messages without its habit of decompressing whatever says that it is compressed."""

    class Message(message):  # type: ignore[misc]  # a base that is known at run time
        def __init__(self, payload: Any, channel: Any = None, **kwargs: Any) -> None:
            headers = payload.get("headers") or {}
            self.compressed = bool(headers.get("compression"))
            plain = payload | {"headers": {}}
            super().__init__(plain, channel=channel, **kwargs)

    return Message


def _take(message: Any, sieve: Sieve) -> None:
    body = message.body.encode("utf-8", "replace") if isinstance(message.body, str) else message.body
    if not isinstance(body, bytes):
        sieve.refuse(STRANGE)
    elif message.errors or not sieve.take(body):
        sieve.take_strange(body, Label(str(message.content_type or ""), message.compressed))
