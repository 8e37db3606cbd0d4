"""Take reports from their queue in a thread of its own, and acknowledge each once it is stored."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable
from queue import Empty, Full, Queue
from typing import Any

from celery import Celery
from kombu import Connection, Consumer, Message

from nightowl.adapters.celery_bus.app import REPORT, queue
from nightowl.adapters.celery_bus.envelope import Unreadable, unpack_report
from nightowl.core.redaction import without_password
from nightowl.core.values import Report

log = logging.getLogger(__name__)

PREFETCH = 1000
"""Reports that the broker hands over before the first of them must be acknowledged."""

PAUSE = 1.0
"""Seconds to wait before connecting again."""

LOOK = 0.05
"""Seconds to wait for a report before looking at what is to be acknowledged."""


class Received:
    """A report from the broker. ``done`` may be called from any thread; the receiver acknowledges it."""

    __slots__ = ("_done", "_message", "report")

    def __init__(self, report: Report, message: Message, done: deque[Message]) -> None:
        self.report = report
        self._message = message
        self._done = done

    def done(self) -> None:
        """Let the broker forget the report."""
        self._done.append(self._message)


class Receiver:
    """Consumes the report queue of one broker from ``start`` to ``stop``, and measures queues on the same connection.

    ``lengths`` are the messages waiting by queue, where the transport tells.
    """

    def __init__(self, app: Celery, measured: Iterable[str]) -> None:
        self._app = app
        self._measured = tuple(measured)
        self._arrived: Queue[Received] = Queue(maxsize=PREFETCH)
        self._done: deque[Message] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bus receiver", daemon=True)
        self.lengths: dict[str, int] = {}
        self.garbage = 0
        self.fault = ""

    def start(self) -> None:
        """Begin to consume."""
        self._thread.start()

    def stop(self) -> None:
        """End; what was not acknowledged goes back to the broker."""
        self._stopping.set()
        self._thread.join(5.0)

    def take(self, limit: int) -> list[Received]:
        """Return up to ``limit`` reports that have arrived."""
        found: list[Received] = []
        try:
            while len(found) < limit:
                found.append(self._arrived.get_nowait())
        except Empty:
            pass
        return found

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._app.connection_for_read() as connection:
                    self._consume(connection)
            except Exception as error:  # noqa: BLE001 - whatever the driver raises: connect again
                self._lost(error)
                self._stopping.wait(PAUSE)

    def _lost(self, error: BaseException) -> None:
        text = without_password(f"the broker does not answer: {error}")
        if not self.fault:
            log.error("%s; reports wait there, connecting again every %.0f s", text, PAUSE)
        self.fault = text
        self._done.clear()
        self.take(PREFETCH)

    def _consume(self, connection: Connection) -> None:
        channel = connection.channel()
        consumer = Consumer(channel, [queue(REPORT)], callbacks=[self._message], accept=["nightowl"])
        consumer.qos(prefetch_count=PREFETCH)
        with consumer:
            self.fault = ""
            turns = 0
            while not self._stopping.is_set():
                try:
                    connection.drain_events(timeout=LOOK)
                except TimeoutError:
                    self._measure(connection, turns)
                    turns += 1
                while self._done:
                    self._done.popleft().ack()

    def _message(self, body: Any, message: Message) -> None:
        try:
            report = unpack_report(body[0][0])
        except (Unreadable, LookupError, TypeError) as error:
            self.garbage += 1
            log.warning("dropped a message that is no report: %s", error)
            message.ack()
            return
        while not self._stopping.is_set():
            try:
                self._arrived.put(Received(report, message, self._done), timeout=1.0)
            except Full:
                continue
            return

    def _measure(self, connection: Connection, turns: int) -> None:
        """Read one queue's length every second or so; a queue that does not exist yet is empty."""
        if not self._measured or turns % 20:
            return
        name = self._measured[turns // 20 % len(self._measured)]
        try:
            with connection.channel() as channel:
                self.lengths[name] = channel.queue_declare(name, passive=True).message_count
        except connection.channel_errors:
            self.lengths[name] = 0
