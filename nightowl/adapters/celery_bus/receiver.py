"""Take reports from their queue in a thread of its own, and acknowledge each once it is stored."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from json import JSONDecodeError
from queue import Empty, Full, Queue
from time import monotonic
from typing import Any

from celery import Celery
from kombu import Connection, Consumer, Message

from nightowl.adapters.celery_bus.app import SERIALIZER, check_queue, report_queue
from nightowl.adapters.celery_bus.consumer import unreadable
from nightowl.adapters.celery_bus.envelope import Foreign, Unreadable, is_of
from nightowl.adapters.celery_bus.garbage import Garbage
from nightowl.adapters.celery_bus.guarded import STRANGE
from nightowl.adapters.celery_bus.link import Link
from nightowl.adapters.celery_bus.packing import unpack_report
from nightowl.adapters.celery_bus.portion_packing import unpack_judged
from nightowl.adapters.celery_bus.sealing import Keyring
from nightowl.core.portions import PortionReport
from nightowl.core.values import Report

PREFETCH = 1000
"""Reports that the broker hands over before the first of them must be acknowledged."""

PAUSE = 0.5
"""Seconds to wait before connecting again."""

HELD = 32 * 1024 * 1024
"""Bytes of the reports that have arrived and are not stored; the others wait on the broker. In memory a report takes
several times what it does in its message."""

LOOK = 0.1
"""Seconds to wait for a report before looking at what is to be acknowledged."""

MEASURE = 5.0
"""Seconds between looks at the lengths of the queues."""

HEARTBEAT = 4
"""Seconds (whole ones, as AMQP wants) between signs of life; a broker hands over the reports of a consumer that gives
none to another after about twice as many. Without them a director that hangs would keep its share for ever."""

PART = "receiver"

UNPARSABLE = (JSONDecodeError, UnicodeDecodeError, RecursionError)
"""What a transport raises, which carries messages as JSON, at something else. It has taken it from the queue."""


class Received:
    """A report from the broker. ``done`` may be called from any thread; the receiver acknowledges it."""

    __slots__ = ("_done", "fresh", "report")

    def __init__(self, report: Report, fresh: bool, done: Callable[[], None]) -> None:
        self.report = report
        self.fresh = fresh
        self._done = done

    def done(self) -> None:
        """Let the broker forget the report."""
        self._done()


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
        self._judged: deque[PortionReport] = deque(maxlen=PREFETCH)
        self._done: deque[Message] = deque()
        self._held = 0
        self._counting = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bus receiver", daemon=True)
        self._beaten = -MEASURE
        self.lengths: dict[str, int] = {}
        self.foreign: dict[str, float] = {}
        """When a report of a location was last refused for its key, in director time."""
        self.garbage = Garbage()

    def start(self) -> None:
        """Begin to consume."""
        self._thread.start()

    def stop(self) -> None:
        """End; what was not acknowledged goes back to the broker."""
        self._stopping.set()
        self._thread.join(5.0)
        self._link.ended(PART)

    def take(self, limit: int) -> list[Received]:
        """Return up to ``limit`` reports that have arrived."""
        found: list[Received] = []
        try:
            while len(found) < limit:
                found.append(self._arrived.get_nowait())
        except Empty:
            pass
        return found

    def judged(self, limit: int) -> list[PortionReport]:
        """Return up to ``limit`` reports of evaluators that have arrived; the oldest of too many are lost."""
        return [self._judged.popleft() for _ in range(min(limit, len(self._judged)))]

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._app.connection_for_read(heartbeat=HEARTBEAT) as connection:
                    self._consume(connection)
            except Exception as error:  # noqa: BLE001 - whatever the driver raises: connect again
                if unreadable(error):
                    self.garbage.refuse(STRANGE)
                else:
                    self._link.lost(PART, error)
                    self._stopping.wait(PAUSE)

    def _consume(self, connection: Connection) -> None:
        for received in self.take(PREFETCH):
            received.done()
        self._done = deque()  # what an earlier connection delivered cannot be acknowledged on this one
        arrived = partial(self._message, connection)
        reports = report_queue(self._app.conf.broker_url)
        consumer = Consumer(connection.channel(), [reports], accept=[SERIALIZER], on_message=arrived)
        consumer.qos(prefetch_count=PREFETCH)
        with consumer:
            self._link.works(PART)
            measured = -MEASURE
            while not self._stopping.is_set():
                if self._held < HELD:
                    self._drain(connection)
                else:
                    self._stopping.wait(LOOK)
                self._acknowledge()
                self._beat(connection)
                if monotonic() - measured >= MEASURE:
                    self._measure(connection)
                    measured = monotonic()
            self._acknowledge()  # of what became done while the queues were measured

    def _drain(self, connection: Connection) -> None:
        try:
            with suppress(TimeoutError):
                connection.drain_events(timeout=LOOK)
        except UNPARSABLE:
            if connection.supports_heartbeats:  # RabbitMQ, whose connection is of no use after that
                raise
            self.garbage.refuse(STRANGE)

    def _acknowledge(self) -> None:
        while self._done:
            self._done.popleft().ack()

    def _beat(self, connection: Connection) -> None:
        if connection.supports_heartbeats and monotonic() - self._beaten >= HEARTBEAT / 4:
            connection.heartbeat_check(rate=4)
            self._beaten = monotonic()

    def _message(self, connection: Connection, message: Message) -> None:
        try:
            arguments = _arguments(message)
            if arguments and is_of(arguments[0], "judged"):
                self._judged.append(unpack_judged(arguments, self._keyring, self._now()))
                message.ack()  # what is lost from here on is evaluated again
                return
            report, fresh = unpack_report(arguments, self._keyring, self._now())
        except Unreadable as error:
            if isinstance(error, Foreign) and check_queue(error.location) in self._measured:
                self.foreign[error.location] = self._now()
            self.garbage.refuse(str(error))
            message.reject()
            return
        received = Received(report, fresh, partial(self._settle, message, self._done))
        self._count(len(message.body))
        while not self._stopping.is_set():
            try:
                self._arrived.put(received, timeout=1.0)
            except Full:
                self._beat(connection)
                continue
            return

    def _settle(self, message: Message, done: deque[Message]) -> None:
        self._count(-len(message.body))
        done.append(message)

    def _count(self, more: int) -> None:
        with self._counting:
            self._held += more

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
    if message.unfit:
        raise Unreadable(message.unfit)
    try:
        return list(message.decode()[0])
    except Exception:  # noqa: BLE001 - decoders raise what they like
        raise Unreadable("no task that is serialised as ours are") from None
