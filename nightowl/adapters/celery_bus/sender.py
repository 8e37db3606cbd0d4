"""Send messages from a thread of its own, so that a broker that stalls does not stall its caller."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from celery import Celery

from nightowl.adapters.celery_bus.app import queue
from nightowl.core.errors import BusUnavailable
from nightowl.core.redaction import without_password

log = logging.getLogger(__name__)

RETRY = 0.5
"""Seconds between tries while the broker does not answer."""


class Message(msgspec.Struct, frozen=True):
    """An envelope for a queue. After ``until`` (monotonic seconds) sending it is of no use any more."""

    queue: str
    task: str
    data: bytes
    until: float


class Sender:
    """Sends what it is given, in order. While the broker is away messages wait in memory until they are useless."""

    def __init__(self, app: Celery, monotonic: Callable[[], float], *, limit: int) -> None:
        self._app = app
        self._monotonic = monotonic
        self._limit = limit
        self._waiting: deque[Message] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="bus sender", daemon=True)
        self._connection: Any = None
        self._producer: Any = None
        self.fault = ""
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
        """Queue a message; raises ``BusUnavailable`` where too many wait already."""
        with self._wake:
            if len(self._waiting) >= self._limit:
                raise BusUnavailable(self.fault or "messages come faster than the broker takes them")
            self._waiting.append(message)
            self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._waiting or self._stopping)
                if not self._waiting:
                    break
                message = self._waiting[0]
            if self._monotonic() > message.until:
                self.dropped += 1
                self._waiting.popleft()
            elif self._sent(message):
                self._waiting.popleft()
            elif self._stopping:
                break
            else:
                with self._wake:
                    self._wake.wait_for(lambda: self._stopping, RETRY)
        self._disconnect()

    def _sent(self, message: Message) -> bool:
        try:
            self._app.send_task(
                message.task,
                (message.data,),
                queue=queue(message.queue),
                producer=self._connected(),
                ignore_result=True,
                argsrepr=f"<{len(message.data)} bytes>",
                kwargsrepr="{}",
                retry=False,
            )
        except Exception as error:  # noqa: BLE001 - whatever the driver raises: the message waits
            self._broken(error)
            return False
        if self.fault:
            log.info("the broker answers again")
        self.fault = ""
        return True

    def _connected(self) -> Any:
        if self._producer is None:
            self._connection = self._app.connection_for_write()
            self._producer = self._app.amqp.Producer(self._connection)
        return self._producer

    def _broken(self, error: BaseException) -> None:
        text = without_password(f"the broker does not answer: {error}")
        if not self.fault:
            log.error("%s; trying again every %.1f s", text, RETRY)
        self.fault = text
        self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            with suppress(Exception):
                connection.release()
