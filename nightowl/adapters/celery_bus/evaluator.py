"""An evaluator: a Celery worker that judges batches of portions, and reports what came of them.

The task hands its batch to threads of our own and returns: a worker whose tasks are all busy looks for the next message
only every other second.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from celery.worker import WorkController

from nightowl.adapters.celery_bus.app import EVALUATE, REPORT, BrokerSettings, make_app
from nightowl.adapters.celery_bus.consumer import consumer_of
from nightowl.adapters.celery_bus.director_clock import DirectorClock
from nightowl.adapters.celery_bus.envelope import Foreign, Unreadable
from nightowl.adapters.celery_bus.garbage import Garbage
from nightowl.adapters.celery_bus.link import Link
from nightowl.adapters.celery_bus.portion_packing import pack_judged, unpack_portions
from nightowl.adapters.celery_bus.sealing import Keyring
from nightowl.adapters.celery_bus.sender import Message, Sender
from nightowl.adapters.celery_bus.worker import worker
from nightowl.core.errors import BusUnavailable
from nightowl.core.portions import PortionBatch, PortionReport, PortionResult, reports
from nightowl.ports import Clock

log = logging.getLogger(__name__)

CONCURRENCY = 4
"""Batches of a source that are judged at once, each in a thread: they wait for the source most of the time."""

CAPACITY = 64
"""Batches of a source that are held at most; others are left to be sent again, perhaps to another evaluator."""

BEAT = 1.0
"""Seconds between signs of life."""

DRAIN = 8.0
"""Seconds that a stopping evaluator waits for the batches under way."""

LOCKED = 60.0
"""Seconds for which batches that could not be opened say that this process has a wrong key."""

MARGIN = 0.5
"""Seconds before a batch expires by which its sources must have answered, so that the report is in time."""

Judge = Callable[[PortionBatch, float], Iterable[PortionResult]]
"""Judge a batch within so many seconds."""


class Evaluator:
    """One process's evaluator, on threads. ``judge`` is called by several of them at once."""

    def __init__(self, settings: BrokerSettings, clock: Clock, keyring: Keyring, judge: Judge, *, name: str) -> None:
        self._app = make_app(settings, [EVALUATE])
        self._name = name
        self._clock = DirectorClock(clock)
        self._keyring = keyring
        self._judge = judge
        self._link = Link(settings)
        self._sender = Sender(self._app, self._link, clock.monotonic)
        self._lanes: dict[str, ThreadPoolExecutor] = {}
        self._lock = threading.Lock()
        self._holding: dict[str, str] = {}
        self._number = 0
        self._locked = -LOCKED
        self._worker: WorkController | None = None
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self.garbage = Garbage()
        self.judged = self.expired = 0
        task = self._app.task(name=EVALUATE, typing=False, shared=False)  # shared: with every app in the process
        task(self.take)

    @property
    def fault(self) -> str:
        """What is wrong with the broker or the key now, empty: nothing."""
        if self._clock.monotonic() - self._locked <= LOCKED:
            return "the director seals by another [server] secret_key than this evaluator's: they need the same"
        return self._link.fault

    def run(self) -> None:
        """Work until ``stop`` is called."""
        self._sender.start()
        threading.Thread(target=self._beat, name="evaluator beat", daemon=True).start()
        self._worker = worker(self._app, "threads", consumer_of(self._link, self.garbage), concurrency=CONCURRENCY)
        if not self._stopping.is_set():
            self._worker.start()
        self._ended.set()

    def stop(self) -> None:
        """Take no more batches, finish those under way for up to ``DRAIN`` seconds, and say goodbye."""
        self._stopping.set()
        if self._worker is None:
            return
        end = self._clock.monotonic() + DRAIN
        self._worker.consumer.end()
        self._ended.wait(DRAIN)
        while self._holding and self._clock.monotonic() < end:
            threading.Event().wait(0.1)
        for lane in self._lanes.values():
            lane.shutdown(wait=False, cancel_futures=True)
        self._say(PortionReport(evaluator=self._name, leaving=True))
        self._sender.stop(timeout=2.0)

    def take(self, *message: object, **named: object) -> None:
        """Take a message, and return at once.

        It is the body of a task, so anybody who can write to the broker chooses the arguments.
        """
        try:
            batch = unpack_portions(() if named else message, self._keyring)
        except Unreadable as error:
            if isinstance(error, Foreign):
                self._locked = self._clock.monotonic()
            self.garbage.refuse(str(error))
            return
        self._clock.time.hear(batch.issued, self._clock.monotonic())
        if self._left(batch) <= 0:
            self.expired += len(batch.portions)
            return
        lane = self._lane(batch)
        if lane is not None:
            lane.submit(self._work, batch)

    def _lane(self, batch: PortionBatch) -> ThreadPoolExecutor | None:
        """Hold a batch, and return the threads of its source: one that hangs keeps none of another waiting.

        None: it is held already, as one may be that was sent again, or there are too many.
        """
        with self._lock:
            if batch.id in self._holding or list(self._holding.values()).count(batch.source) >= CAPACITY:
                return None
            self._holding[batch.id] = batch.source
            if batch.source not in self._lanes:
                self._lanes[batch.source] = ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="evaluate")
            return self._lanes[batch.source]

    def _work(self, batch: PortionBatch) -> None:
        """Judge a batch while it is of use, and report."""
        try:
            seconds = self._left(batch)
            if seconds > 0:
                results = list(self._judge(batch, seconds))
                self.judged += len(results)
                for report in reports(batch, results, self._name, self._holdings()):
                    self._say(report)
            else:
                self.expired += len(batch.portions)
        except Exception:
            log.exception("a batch could not be judged, which is a defect of NightOwl or of a plug-in")
        finally:
            with self._lock:
                self._holding.pop(batch.id, None)

    def _left(self, batch: PortionBatch) -> float:
        """Seconds in which sources may answer."""
        return batch.expires - self._clock.now() - MARGIN

    def _holdings(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(sorted(self._holding))

    def _beat(self) -> None:
        while not self._stopping.is_set():
            self._say(PortionReport(evaluator=self._name, holding=self._holdings()))
            self._stopping.wait(BEAT)

    def _say(self, report: PortionReport) -> None:
        """Send a report; one that cannot be sent soon is of no use any more."""
        with self._lock:
            self._number += 1
            number = self._number
        data = pack_judged(report, self._keyring, number=number, issued=self._clock.now())
        with suppress(BusUnavailable):
            self._sender.put(Message(REPORT, REPORT, data, self._clock.monotonic() + MARGIN + BEAT))
