"""What an actor process does with batches: judge them in director time, hand their jobs on, hold back when full."""

from __future__ import annotations

import threading
from collections.abc import Callable

from nightowl.adapters.celery_bus.director_clock import DirectorClock
from nightowl.adapters.celery_bus.envelope import Foreign, Unreadable
from nightowl.adapters.celery_bus.garbage import Garbage
from nightowl.adapters.celery_bus.packing import unpack_batch
from nightowl.adapters.celery_bus.reporter import Reporter
from nightowl.adapters.celery_bus.sealing import Keyring
from nightowl.core.values import Batch, Job, Location, Outcome

SETTLE = 0.3
"""Seconds after the first batch before any is judged: a backlog must not set the clock."""

Perform = Callable[[Job, Location, Callable[[Outcome], None]], None]
"""Start a job at a location; the callback gets its outcome."""

Told = Callable[[str, bool], None]
"""Take in whether a location is offline."""

Later = Callable[[float, Callable[[], None]], None]
"""Call a function in so many seconds."""


class Station:
    """Takes envelopes for some locations. ``capacity``: jobs under way at most, before taking a batch waits."""

    def __init__(
        self,
        clock: DirectorClock,
        reporter: Reporter,
        perform: Perform,
        later: Later,
        garbage: Garbage,
        keyring: Keyring,
        *,
        locations: set[str],
        capacity: int,
    ) -> None:
        self._clock = clock
        self._reporter = reporter
        self._perform = perform
        self._later = later
        self._garbage = garbage
        self._keyring = keyring
        self._locations = locations
        self._free = threading.Semaphore(capacity)
        self._unsettled: list[Batch] = []
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], float] = {}
        self.expired = 0
        self.locked: dict[str, float] = {}
        """When jobs of a location were last refused for their key (monotonic)."""

    def take(self, *message: object, **named: object) -> None:
        """Take a message: tell the director, start its jobs, return at once unless the engine is full.

        It is the body of a task, so anybody who can write to the broker chooses the arguments.
        """
        try:
            batch = unpack_batch(() if named else message, self._keyring)
        except Unreadable as error:
            if isinstance(error, Foreign) and error.location in self._locations:
                self.locked[error.location] = self._clock.monotonic()
            self._garbage.refuse(str(error))
            return
        if batch.location not in self._locations:
            self._garbage.refuse("a batch for a location that is not served here")
        elif self._is_new(batch):
            self._accept(batch)

    def _is_new(self, batch: Batch) -> bool:
        """Whether this batch was not taken before: a broker may deliver one again."""
        identity = (batch.location, batch.id)
        now = self._clock.now()
        with self._lock:
            if identity in self._known:
                return False
            self._known = {each: expires for each, expires in self._known.items() if expires > now}
            self._known[identity] = batch.expires
        return True

    def _accept(self, batch: Batch) -> None:
        self._reporter.taken(batch.location, batch.id, len(batch.jobs))
        steady = self._clock.monotonic()
        self._clock.time.hear(batch.issued, steady)
        if self._clock.time.settled(steady, SETTLE):
            self._start(batch)
        else:
            with self._lock:
                self._unsettled.append(batch)
            self._later(SETTLE, self._start_unsettled)

    def _start_unsettled(self) -> None:
        with self._lock:
            batches, self._unsettled = self._unsettled, []
        for batch in batches:
            threading.Thread(target=self._start, args=(batch,), daemon=True).start()

    def _start(self, batch: Batch) -> None:
        location = Location(name=batch.location, policy=batch.policy, control=batch.control)
        for job in batch.jobs:
            self._free.acquire()
            self._begin(batch, job, location)

    def _begin(self, batch: Batch, job: Job, location: Location) -> None:
        def done(outcome: Outcome) -> None:
            self._free.release()
            late = not outcome.attempts
            self.expired += late
            self._reporter.finished(batch.location, batch.id, None if late else outcome)

        self._perform(job, location, done)
