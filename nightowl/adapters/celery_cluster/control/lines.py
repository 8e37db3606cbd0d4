"""Connections to a broker that several threads share: one thread has one for a while."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kombu import Connection
from kombu.exceptions import KombuError

from nightowl.adapters.celery_cluster.control.broker import Broker, make

KEPT = 20.0
"""Seconds for which an unused connection is kept: one that lies longer may have been cut without a word."""

MOST_KEPT = 4

NOT_FOUND = 404
"""AMQP's reply code for what is not there."""


class Lines:
    """A few connections, made where they are needed and kept for a while."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._idle: deque[tuple[float, Connection]] = deque()
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def channel(self, begin: Callable[[Any], Any]) -> Iterator[Any]:
        """Give what ``begin`` makes of a channel.

        ``begin`` must ask the broker something that may be asked twice: a connection that turns out to be stale then is
        replaced. Raises ``Unavailable``.
        """
        try:
            connection, begun = self._begun(begin)
        except _FAULTS as error:
            raise self._broker.unavailable(error) from None
        try:
            yield begun
        except _faults(connection) as error:
            _close(connection)
            raise self._broker.unavailable(error) from None
        except BaseException:
            _close(connection)
            raise
        self._give_back(connection)

    def close(self) -> None:
        """End all connections."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, deque()
        for _, connection in idle:
            _close(connection)

    def _begun(self, begin: Callable[[Any], Any]) -> tuple[Connection, Any]:
        while (kept := self._kept()) is not None:
            with suppress(_Stale):
                return kept, _try(kept, begin, stale=True)
        made = self._broker.connection()
        return made, _try(made, begin, stale=False)

    def _kept(self) -> Connection | None:
        with self._lock:
            while self._idle:
                since, connection = self._idle.pop()
                if time.monotonic() - since < KEPT:
                    return connection
                _close(connection)
        return None

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < MOST_KEPT:
                self._idle.append((time.monotonic(), connection))
                return
        _close(connection)


def if_there(channel: Any, act: Callable[[Any], Any]) -> Any:
    """Return what ``act`` makes of a channel of its own (None: what it asked for is not there).

    RabbitMQ closes a channel on which something was asked for that does not exist.
    """
    client = channel.connection.client
    own = client.channel()
    try:
        done = act(own)
    except client.channel_errors as error:
        if getattr(error, "reply_code", 0) != NOT_FOUND:
            raise
        return None
    own.close()
    return done


class _Stale(Exception):
    """A kept connection that does not work any more."""


class _Fault(Exception):
    """The broker cannot be used."""


_FAULTS = (_Fault,)


def _try(connection: Connection, begin: Callable[[Any], Any], *, stale: bool) -> Any:
    try:
        return begin(_channel(connection))
    except _faults(connection) as error:
        _close(connection)
        raise (_Stale if stale else _Fault)(str(error) or type(error).__name__) from error
    except BaseException:
        _close(connection)
        raise


def _channel(connection: Connection) -> Any:
    if not connection.connected:
        make(connection)
    return connection.default_channel


def _faults(connection: Connection) -> tuple[type[BaseException], ...]:
    """What the driver raises when something is wrong with the broker."""
    return (*connection.connection_errors, *connection.channel_errors, OSError, KombuError)


def _close(connection: Connection) -> None:
    with suppress(*_faults(connection), AttributeError):
        connection.close()
