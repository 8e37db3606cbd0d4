"""Send messages from a thread of its own, so that a broker that stalls does not stall its caller."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import msgspec
from celery import Celery
from kombu import Queue

from nightowl.adapters.celery_bus.app import route
from nightowl.adapters.celery_bus.link import Link
from nightowl.core.errors import BusUnavailable

OUTBOUND = 64 * 1024 * 1024
"""Bytes that wait in memory at most while the broker does not answer."""

RETRY = 0.5
"""Seconds between tries while the broker does not answer."""

PART = "sender"


class Message(msgspec.Struct, frozen=True):
    """Envelopes for a queue, as one task. After ``until`` (monotonic seconds) sending it is of no use any more."""

    queue: str
    task: str
    data: tuple[bytes, ...]
    until: float

    @property
    def size(self) -> int:
        """Bytes of all envelopes."""
        return sum(map(len, self.data))


class Sender:
    """Sends what it is given, in order. While the broker is away messages wait in memory until they are useless.

    ``made``: queues to make on each connection. ``limit``: bytes that may wait.
    """

    def __init__(
        self,
        app: Celery,
        link: Link,
        monotonic: Callable[[], float],
        *,
        made: Iterable[Queue] = (),
        limit: int = OUTBOUND,
    ) -> None:
        self._app = app
        self._made = list(made)
        self._link = link
        self._monotonic = monotonic
        self._limit = limit
        self._waiting: deque[Message] = deque()
        self._size = 0
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="bus sender", daemon=True)
        self._connection: Any = None
        self._producer: Any = None
        self.broken = False
        self.dropped = 0

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Send what waits, for ``timeout`` seconds at most."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(timeout)

    def put(self, message: Message) -> None:
        """Queue a message; raises ``BusUnavailable`` where too much waits already."""
        with self._wake:
            if self._size + message.size > self._limit:
                raise BusUnavailable(self._link.fault or "messages come faster than the broker takes them")
            self._waiting.append(message)
            self._size += message.size
            self._wake.notify()

    def _run(self) -> None:
        self._try(self._connect)
        while self._turn():
            pass
        self._disconnect()

    def _turn(self) -> bool:
        """Send the next message, or wait; False: it is time to end."""
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._stopping, RETRY if self.broken else None)
            message = self._waiting[0] if self._waiting else None
            if message is None and self._stopping:
                return False
        if message is None:
            self._try(self._connect)
        elif self._monotonic() > message.until:
            self.dropped += 1
            self._settled(message)
        elif self._try(lambda: self._send(message)):
            self._settled(message)
        elif self._stopping:
            return False
        else:
            with self._wake:
                self._wake.wait_for(lambda: self._stopping, RETRY)
        return True

    def _settled(self, message: Message) -> None:
        with self._wake:
            self._waiting.popleft()
            self._size -= message.size

    def _try(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - whatever the driver raises: try again, the message waits
            self.broken = True
            self._link.lost(PART, error)
            self._disconnect()
            return False
        self.broken = False
        self._link.works(PART)
        return True

    def _connect(self) -> None:
        if self._producer is None:
            self._connection = self._app.connection_for_write()
            self._connection.connect()
            channel = self._connection.default_channel
            for each in self._made:
                each.bind(channel).declare()
            self._producer = self._app.amqp.Producer(self._connection)

    def _send(self, message: Message) -> None:
        self._connect()
        self._app.send_task(
            message.task,
            message.data,
            **route(self._app.conf.broker_url, message.queue),
            producer=self._producer,
            headers={"origin": "nightowl"},  # else the names of this machine and process
            ignore_result=True,
            argsrepr="",
            kwargsrepr="",
            retry=False,
        )

    def _disconnect(self) -> None:
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            with suppress(Exception):
                connection.release()
