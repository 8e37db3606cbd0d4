"""Take reports from their queue in a thread of its own, and acknowledge each once it is stored."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from queue import Empty, Full, Queue
from time import monotonic
from typing import Any

from celery import Celery
from kombu import Connection, Consumer, Message

from nightowl.adapters.celery_bus.app import SERIALIZER, report_queue
from nightowl.adapters.celery_bus.consumer import unreadable
from nightowl.adapters.celery_bus.envelope import Unreadable
from nightowl.adapters.celery_bus.garbage import Garbage
from nightowl.adapters.celery_bus.link import Link
from nightowl.adapters.celery_bus.packing import unpack_report
from nightowl.adapters.celery_bus.sealing import Keyring
from nightowl.core.values import Report

PREFETCH = 1000
"""Reports that the broker hands over before the first of them must be acknowledged."""

PAUSE = 0.5
"""Seconds to wait before connecting again."""

LOOK = 0.1
"""Seconds to wait for a report before looking at what is to be acknowledged."""

MEASURE = 5.0
"""Seconds between looks at the lengths of the queues."""

HEARTBEAT = 4
"""Seconds (whole ones, as AMQP wants) between signs of life; a broker hands over the reports of a consumer that gives
none to another after about twice as many. Without them a director that hangs would keep its share for ever."""

PART = "receiver"


class Received:
    """A report from the broker. ``done`` may be called from any thread; the receiver acknowledges it."""

    __slots__ = ("_done", "_message", "fresh", "report")

    def __init__(self, report: Report, fresh: bool, message: Message, done: deque[Message]) -> None:
        self.report = report
        self.fresh = fresh
        self._message = message
        self._done = done

    def done(self) -> None:
        """Let the broker forget the report."""
        self._done.append(self._message)


class Receiver:
    """Consumes the report queue of one broker from ``start`` to ``stop``, and measures queues on the same connection.

    ``now`` tells director time. ``lengths`` are the messages waiting by queue, where the transport tells.
    """

    def __init__(
        self, app: Celery, link: Link, keyring: Keyring, now: Callable[[], float], measured: Iterable[str]
    ) -> None:
        self._app = app
        self._link = link
        self._keyring = keyring
        self._now = now
        self._measured = tuple(measured)
        self._arrived: Queue[Received] = Queue(maxsize=PREFETCH)
        self._done: deque[Message] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bus receiver", daemon=True)
        self._beaten = -MEASURE
        self.lengths: dict[str, int] = {}
        self.garbage = Garbage()

    def start(self) -> None:
        """Begin to consume."""
        self._thread.start()

    def stop(self) -> None:
        """End; what was not acknowledged goes back to the broker."""
        self._stopping.set()
        self._thread.join(5.0)
        self._link.works(PART)

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
                with self._app.connection_for_read(heartbeat=HEARTBEAT) as connection:
                    self._consume(connection)
            except Exception as error:  # noqa: BLE001 - whatever the driver raises: connect again
                if unreadable(error):
                    self.garbage.refuse("nothing that a Celery program sends")
                else:
                    self._link.lost(PART, error)
                    self._stopping.wait(PAUSE)

    def _consume(self, connection: Connection) -> None:
        self._done = deque()  # what an earlier connection delivered cannot be acknowledged on this one
        self.take(PREFETCH)
        arrived = partial(self._message, connection)
        reports = report_queue(self._app.conf.broker_url)
        consumer = Consumer(connection.channel(), [reports], accept=[SERIALIZER], on_message=arrived)
        consumer.qos(prefetch_count=PREFETCH)
        with consumer:
            self._link.works(PART)
            measured = -MEASURE
            while not self._stopping.is_set():
                with suppress(TimeoutError):
                    connection.drain_events(timeout=LOOK)
                self._acknowledge()
                self._beat(connection)
                if monotonic() - measured >= MEASURE:
                    self._measure(connection)
                    measured = monotonic()
            self._acknowledge()  # of what became done while the queues were measured

    def _acknowledge(self) -> None:
        while self._done:
            self._done.popleft().ack()

    def _beat(self, connection: Connection) -> None:
        if connection.supports_heartbeats and monotonic() - self._beaten >= HEARTBEAT / 4:
            connection.heartbeat_check(rate=4)
            self._beaten = monotonic()

    def _message(self, connection: Connection, message: Message) -> None:
        try:
            report, fresh = unpack_report(_arguments(message), self._keyring, self._now())
        except Unreadable as error:
            self.garbage.refuse(str(error))
            message.reject()
            return
        while not self._stopping.is_set():
            try:
                self._arrived.put(Received(report, fresh, message, self._done), timeout=1.0)
            except Full:
                self._beat(connection)
                continue
            return

    def _measure(self, connection: Connection) -> None:
        """Read the lengths of the queues; one that does not exist yet is empty."""
        for name in self._measured:
            try:
                with connection.channel() as channel:
                    self.lengths[name] = channel.queue_declare(name, passive=True).message_count
            except connection.channel_errors:
                self.lengths[name] = 0


def _arguments(message: Message) -> list[Any]:
    """Return the arguments of a task message; raises ``Unreadable``."""
    try:
        return list(message.decode()[0])
    except Exception:  # noqa: BLE001 - decoders raise what they like
        raise Unreadable("no task that is serialised as ours are") from None
