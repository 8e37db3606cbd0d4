"""Parts for tests of the bus: brokers, batches, and an actor in a thread that performs as told."""

from __future__ import annotations

import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from nightowl.adapters.celery_bus.actor import Actor
from nightowl.adapters.celery_bus.app import BrokerSettings
from nightowl.adapters.celery_bus.director import Bus
from nightowl.adapters.celery_bus.director_clock import DirectorClock
from nightowl.adapters.celery_bus.evaluator import Evaluator, Judge
from nightowl.adapters.celery_bus.receiver import Received
from nightowl.adapters.celery_bus.sealing import Keyring
from nightowl.adapters.celery_bus.station import Perform, Told
from nightowl.adapters.clock import SystemClock
from nightowl.core.condition import Truth
from nightowl.core.portions import Judged, Portion, PortionBatch, PortionResult
from nightowl.core.series import Series
from nightowl.core.values import Attempt, Batch, Job, Location, LocationKey, Outcome, State, Target
from nightowl.ports import Clock

CLOCK = SystemClock()

KEY, OTHER_KEY = LocationKey(b"k" * 32), LocationKey(b"o" * 32)
KEY_TEXT = f"owl1-{urlsafe_b64encode(KEY.secret).decode().rstrip('=')}"
"""``KEY`` as a configuration has it."""

Script = Callable[[Job, str, Callable[[Outcome], None]], None]
"""What becomes of a job at a location."""


def ring(*keys: LocationKey) -> Keyring:
    """The keyring of a process that has these keys for every location."""
    return Keyring(lambda _: keys)


def batch(id_: str = "1.1", location: str = "london", jobs: int = 3, *, target: Target | None = None) -> Batch:
    now = CLOCK.now()
    work = tuple(
        Job(check=f"check-{n:03}", due=round(now, 3), deadline=now + 60, target=target or Target(kind="http", url="x"))
        for n in range(jobs)
    )
    return Batch(id=id_, location=location, issued=now, expires=now + 60, jobs=work)


def up(job: Job, location: str, done: Callable[[Outcome], None]) -> None:
    """Every job succeeds at once."""
    attempt = Attempt(state=State.UP, started=job.due, duration=0.1)
    done(Outcome(check=job.check, due=job.due, location=location, state=State.UP, attempts=(attempt,), kept=0))


def wait_for(condition: Callable[[], object], seconds: float = 30.0, what: object = "") -> None:
    """Poll a condition; the bound is generous, for it only ends a test that has failed."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what() if callable(what) else what or "it did not happen"
        time.sleep(0.02)


@contextmanager
def acting(
    settings: BrokerSettings,
    locations: Sequence[str] = ("london",),
    script: Script = up,
    *,
    name: str = "alice",
    keys: Sequence[LocationKey] = (KEY,),
    clock: Clock = CLOCK,
) -> Iterator[Actor]:
    """An actor on threads, with a clock of its own."""

    def performer(clock: DirectorClock, offline: Told) -> Perform:
        def perform(job: Job, location: Location, done: Callable[[Outcome], None]) -> None:
            script(job, location.name, done)

        return perform

    def later(delay: float, function: Callable[[], None]) -> None:
        timer = threading.Timer(delay, function)
        timer.daemon = True
        timer.start()

    actor = Actor(settings, locations, clock, ring(*keys), name=name, pool="threads", perform=performer, later=later)
    thread = threading.Thread(target=actor.run, daemon=True)
    thread.start()
    try:
        yield actor
    finally:
        actor.stop()
        thread.join(10)


@contextmanager
def directing(
    settings: BrokerSettings,
    locations: Mapping[str, str] | Sequence[str] = ("london",),
    *,
    keys: Sequence[LocationKey] = (KEY,),
) -> Iterator[Bus]:
    """A leading director's side of the bus; ``locations`` may map to brokers of their own."""
    places = locations if isinstance(locations, Mapping) else dict.fromkeys(locations, "")
    bus = Bus(settings, places, CLOCK, ring(*keys))
    bus.led(True)
    try:
        yield bus
    finally:
        bus.close()


@contextmanager
def evaluating(settings: BrokerSettings, judge: Judge, *, keys: Sequence[LocationKey] = (KEY,)) -> Iterator[Evaluator]:
    """An evaluator on threads, with a clock of its own."""
    evaluator = Evaluator(settings, CLOCK, ring(*keys), judge, name="eve")
    thread = threading.Thread(target=evaluator.run, daemon=True)
    thread.start()
    try:
        yield evaluator
    finally:
        evaluator.stop()
        thread.join(10)


def all_good(batch: PortionBatch, seconds: float) -> list[PortionResult]:
    """Every portion has one series, with which nothing is wrong."""
    found = Judged(Series("m", (("device", "x" * 36),)), Truth.FALSE, 1.0, 2.0, 0.5, "1 is not > 2")
    return [PortionResult(each.rule, each.identifier, series=(found,)) for each in batch.portions]


def portions(id_: str = "1.1", count: int = 3) -> PortionBatch:
    """A batch for evaluators."""
    now = CLOCK.now()
    work = tuple(Portion("rule", f"{number:036}") for number in range(count))
    return PortionBatch(id=id_, source="source", epoch=1, at=now, issued=now, expires=now + 30, portions=work)


class Intake:
    """Takes reports off a bus and keeps what they said."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.received: list[Received] = []

    def take(self, *, done: bool = True) -> None:
        for received in self.bus.receive(1000):
            self.received.append(received)
            if done:
                received.done()

    @property
    def outcomes(self) -> list[Outcome]:
        return [outcome for received in self.received for outcome in received.report.outcomes]

    @property
    def actors(self) -> set[str]:
        return {received.report.actor for received in self.received}

    @property
    def takers(self) -> dict[str, str]:
        return {batch: received.report.actor for received in self.received for batch in received.report.taken}

    def wait_for(self, outcomes: int, seconds: float = 30.0) -> None:
        def enough() -> bool:
            self.take()
            return len(self.outcomes) >= outcomes

        wait_for(enough, seconds, lambda: f"{len(self.outcomes)} of {outcomes} outcomes; fault: {self.bus.fault}")
