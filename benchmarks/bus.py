"""What the bus costs over each broker, beside the bare floor: the same bytes out and back by kombu alone.

``python -m benchmarks.bus [BROKER...]`` starts each server on loopback and gives it a process with a director's side
of the bus and an actor on threads, whose checks succeed at once. Columns: seconds from dispatch to report of one
batch of 200 (median; an actor reports every 0.1 s); share of a core while idle; then batches of 200 as fast as they
go: checks a second and CPU microseconds a check (both sides, without the server's), and the floor's.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from kombu import Consumer

from nightowl.adapters.celery_bus.actor import Actor
from nightowl.adapters.celery_bus.app import SERIALIZER, BrokerSettings, make_app, queue
from nightowl.adapters.celery_bus.director import Bus
from nightowl.adapters.celery_bus.director_clock import DirectorClock
from nightowl.adapters.celery_bus.packing import pack_batch
from nightowl.adapters.celery_bus.sealing import Keyring
from nightowl.adapters.celery_bus.station import Perform
from nightowl.adapters.clock import SystemClock
from nightowl.core.values import Attempt, Batch, Job, Location, LocationKey, Outcome, Phases, State, Target
from tests.servers.programs import missing
from tests.servers.run import KINDS, Run, shared

BROKERS = ("memory", "filesystem", "redis", "rabbitmq", "mariadb", "postgresql")
JOBS = 200
BATCHES = 100
IDLE = 10.0

CLOCK = SystemClock()
KEYRING = Keyring(lambda _: [LocationKey(bytes(32))])
TARGET = Target(kind="http", url="http://shop.example/some/path", headers={"Accept": "text/html"}, timeout=2.0)


def batch(number: int) -> Batch:
    now = CLOCK.now()
    jobs = tuple(Job(check=f"check-{n:05}", due=now, deadline=now + 60, target=TARGET) for n in range(JOBS))
    return Batch(id=f"1.{number}", location="london", issued=now, expires=now + 60, jobs=jobs)


def perform_of(clock: DirectorClock, _offline: object) -> Perform:
    phases = Phases(dns=0.0, connect=0.001, first_byte=0.01, transfer=0.001)

    def perform(job: Job, location: Location, done: object) -> None:
        attempt = Attempt(state=State.UP, started=clock.now(), duration=0.01, phases=phases, status=200)
        outcome = Outcome(
            check=job.check, due=job.due, location=location.name, state=State.UP, attempts=(attempt,), kept=0
        )
        done(outcome)  # type: ignore[operator]

    return perform


@contextmanager
def both_sides(settings: BrokerSettings) -> Iterator[Bus]:
    def later(delay: float, function: object) -> None:
        threading.Timer(delay, function).start()  # type: ignore[arg-type]

    actor = Actor(settings, ["london"], CLOCK, KEYRING, name="alice", pool="threads", perform=perform_of, later=later)
    thread = threading.Thread(target=actor.run, daemon=True)
    thread.start()
    bus = Bus(settings, {"london": ""}, CLOCK, KEYRING)
    bus.led(True)
    yield bus
    actor.stop()
    thread.join()
    bus.close()


def collect(bus: Bus, wanted: int) -> None:
    while wanted > 0:
        for received in bus.receive(500):
            wanted -= len(received.report.outcomes)
            received.done()
        time.sleep(0.002)


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(settings: BrokerSettings) -> str:
    with both_sides(settings) as bus:
        delays = []
        for number in range(15):
            began = time.monotonic()
            bus.dispatch(batch(number))
            collect(bus, JOBS)
            delays.append(time.monotonic() - began)
        before = cpu()
        time.sleep(IDLE)
        idle = (cpu() - before) / IDLE
        work = [batch(100 + number) for number in range(BATCHES)]
        before, began = cpu(), time.monotonic()
        for each in work:
            bus.dispatch(each)
        collect(bus, JOBS * BATCHES)
        seconds, spent = time.monotonic() - began, cpu() - before
    floor_seconds, floor_spent = floor(settings, [pack_batch(each, KEYRING)[0] for each in work])
    checks = JOBS * BATCHES
    return (
        f"{statistics.median(delays):8.3f} s {idle:8.1%} {checks / seconds:11,.0f} {spent / checks * 1e6:9.1f} us"
        f" {checks / floor_seconds:13,.0f} {floor_spent / checks * 1e6:9.1f} us {spent / floor_spent:7.1f}"
    )


def floor(settings: BrokerSettings, bodies: list[bytes]) -> tuple[float, float]:
    """Publish the bodies, take them, publish them back and take them again; return seconds and CPU seconds."""
    app = make_app(settings)
    before, began = cpu(), time.monotonic()
    for name in ("floor.out", "floor.back"):
        left = len(bodies)

        def took(message: object) -> None:
            nonlocal left
            left -= 1
            message.ack()  # type: ignore[attr-defined]

        with app.connection_for_write() as connection:
            producer = app.amqp.Producer(connection)
            for body in bodies:
                producer.publish(body, routing_key=name, exchange="", declare=[queue(name)], serializer=SERIALIZER)
        with (
            app.connection_for_read() as connection,
            Consumer(connection.channel(), [queue(name)], on_message=took, accept=[SERIALIZER]),
        ):
            while left:
                connection.drain_events(timeout=10)
    return time.monotonic() - began, cpu() - before


def main(kinds: list[str]) -> None:
    run = Run()
    print("broker           one batch     idle    checks/s   CPU/check  floor checks/s CPU/check   ratio")
    try:
        for kind in kinds:
            if kind in KINDS and missing(kind):
                print(f"{kind:12} left out: {missing(kind)}")
                continue
            with tempfile.TemporaryDirectory() as folder:
                local = {"memory": "memory://", "filesystem": f"filesystem://{folder}"}
                url = local.get(kind) or shared(run.folder, kind).fresh_url()
                subprocess.run([sys.executable, "-m", "benchmarks.bus", "--url", kind, url], check=True)
    finally:
        run.end()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--url"]:
        print(f"{sys.argv[2]:12} {measure(BrokerSettings(url=sys.argv[3]))}", flush=True)
    else:
        main(sys.argv[1:] or list(BROKERS))
