"""An actor: a Celery worker that hands batches to its process's engine, and reports what comes of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from celery.worker import WorkController

from nightowl.adapters.celery_bus.app import CHECK, BrokerSettings, check_queue, make_app
from nightowl.adapters.celery_bus.consumer import consumer_of
from nightowl.adapters.celery_bus.director_clock import DirectorClock
from nightowl.adapters.celery_bus.garbage import Garbage
from nightowl.adapters.celery_bus.link import Link
from nightowl.adapters.celery_bus.reporter import Reporter
from nightowl.adapters.celery_bus.sealing import Keyring
from nightowl.adapters.celery_bus.sender import Sender
from nightowl.adapters.celery_bus.station import Later, Perform, Station, Told
from nightowl.adapters.celery_bus.worker import worker
from nightowl.ports import Clock

CAPACITY = 4000
"""Jobs under way in one process at most; more batches wait on the broker."""

DRAIN = 10.0
"""Seconds that a stopping actor waits for the jobs under way."""

CONCURRENCY = 8
"""Batches that are handed on at once."""

LOCKED = 60.0
"""Seconds for which jobs that could not be opened say that the actor has a wrong key."""


class Actor:
    """One process's actor for some locations.

    ``pool`` is ``threads`` beside other roles in one process, or ``gevent`` in a process patched for it.
    ``perform`` is made from the actor's clock, which tells director time, and from what is to be told whether a
    location is offline.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        locations: Sequence[str],
        clock: Clock,
        keyring: Keyring,
        *,
        name: str,
        pool: str,
        perform: Callable[[DirectorClock, Told], Perform],
        later: Later,
    ) -> None:
        self._app = make_app(settings, [check_queue(location) for location in locations])
        self._pool = pool
        self._clock = clock
        self._link = Link(settings)
        self.garbage = Garbage()
        self._sender = Sender(self._app, self._link, clock.monotonic)
        director_clock = DirectorClock(clock)
        self._reporter = Reporter(self._sender, clock, director_clock, keyring, actor=name, locations=locations)
        self._station = Station(
            director_clock,
            self._reporter,
            perform(director_clock, self._reporter.offline),
            later,
            self.garbage,
            keyring,
            locations=set(locations),
            capacity=CAPACITY,
        )
        task = self._app.task(name=CHECK, typing=False, shared=False)  # shared: with every app in the process
        task(self._station.take)
        self._worker: WorkController | None = None
        self._stopping = False
        self._ended = threading.Event()

    @property
    def held(self) -> int:
        """Jobs under way."""
        return self._reporter.held

    @property
    def fault(self) -> str:
        """What is wrong with the broker or the keys now, empty: nothing."""
        return self._link.fault or self._wrong_key()

    def _wrong_key(self) -> str:
        """Say at which locations the jobs that came lately could not be opened."""
        now = self._clock.monotonic()
        names = sorted(name for name, last in list(self._station.locked.items()) if now - last <= LOCKED)
        if not names:
            return ""
        return f"the jobs of {', '.join(names)} are sealed with another key than this actor's: look at its --key-file"

    def run(self) -> None:
        """Work until ``stop`` is called."""
        self._sender.start()
        self._reporter.start()
        self._worker = worker(self._app, self._pool, consumer_of(self._link, self.garbage), concurrency=CONCURRENCY)
        if not self._stopping:
            self._worker.start()
        self._ended.set()

    def stop(self) -> None:
        """Take no more batches, finish those under way for up to ``DRAIN`` seconds, and report them."""
        self._stopping = True
        if self._worker is None:
            return
        end = self._clock.monotonic() + DRAIN
        self._worker.consumer.end()
        self._ended.wait(DRAIN)
        while self._reporter.held and self._clock.monotonic() < end:
            threading.Event().wait(0.1)
        self._reporter.stop()
        self._sender.stop(timeout=2.0)
