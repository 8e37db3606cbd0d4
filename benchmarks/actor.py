"""The ceiling of one actor process: checks a second, three attempts each, over Redis, and what a check costs.

``python -m benchmarks.actor [SECONDS]`` keeps one ``nightowl actor`` busy with batches of 200 checks of a server
on loopback, as many as it takes, and counts the outcomes that come back. On a machine with few cores the server, the
broker and this process take some of its time: the ceiling that counts is that of a core of its own, one second divided
by the CPU seconds of a check.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

from benchmarks.probe_engine import server
from benchmarks.system import cpu, running
from nightowl.adapters.celery_bus.director import Bus
from nightowl.adapters.clock import SystemClock
from nightowl.core.values import Batch, Job, Network, Policy, State, Target
from nightowl.wire.bus import director_bus
from nightowl.wire.checks import load_configuration
from tests.servers.run import Run, shared

CLOCK = SystemClock()
JOBS = 200
CHECKS = 20_000
"""Different targets, more than an actor remembers."""
AHEAD = 8
"""Batches on their way at once."""
WARM_UP = 5.0


def batch(number: int, url: str) -> Batch:
    """A batch of checks that are due now."""
    now = CLOCK.now()
    first = number * JOBS % CHECKS
    jobs = tuple(
        Job(check=f"check-{n}", due=now, deadline=now + 60, target=Target(kind="http", url=f"{url}{n}", timeout=5.0))
        for n in range(first, first + JOBS)
    )
    policy = Policy(allow=(Network("127.0.0.1/32"),))
    return Batch(id=f"1.{number}", location="here", issued=now, expires=now + 60, jobs=jobs, policy=policy)


class Feeder:
    """Keeps an actor busy: ``AHEAD`` batches are always on their way."""

    def __init__(self, bus: Bus, url: str) -> None:
        self._bus = bus
        self._url = url
        self._numbers = count()
        self._under_way = 0

    def feed(self, seconds: float) -> int:
        """Go on for a time; how many outcomes came."""
        end, came = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            while self._under_way < AHEAD * JOBS:
                self._bus.dispatch(batch(next(self._numbers), self._url))
                self._under_way += JOBS
            for received in self._bus.receive(500):
                if any(outcome.state is not State.UP for outcome in received.report.outcomes):
                    raise SystemExit("a check of the server was not up: it is too slow for this actor")
                came += len(received.report.outcomes)
                self._under_way -= len(received.report.outcomes)
                received.done()
            time.sleep(0.005)
        return came


def measure(broker: str, seconds: float) -> str:
    """Run the actor, and say what was seen."""
    nightowl = str(Path(sys.executable).with_name("nightowl"))
    with tempfile.TemporaryDirectory() as name, server() as port:
        path = Path(name, "nightowl.toml")
        path.write_text(f'[bus]\nbroker = "{broker}"\n[location.here]\n')
        configuration = load_configuration(str(path))
        bus = director_bus(lambda: configuration)
        bus.led(True)
        feeder = Feeder(bus, f"http://127.0.0.1:{port}/")
        with running("actor", [nightowl, "actor", "-c", str(path), "--location", "here"], Path(name)) as acting:
            while not feeder.feed(WARM_UP):
                pass
            rates, costs = [], []
            for _ in range(5):
                before, began = cpu(acting), time.monotonic()
                came = feeder.feed(seconds / 5)
                rates.append(came / (time.monotonic() - began))
                costs.append((cpu(acting) - before) / came)
        bus.close()
    cost = statistics.median(costs)
    return (
        f"one actor over Redis, three attempts a check: {statistics.median(rates):,.0f} checks/s here, "
        f"{cost * 1e6:.0f} us of CPU a check, so {1 / cost:,.0f} checks/s with a core of its own"
    )


def main() -> None:
    """Measure."""
    run = Run()
    try:
        print(measure(shared(run.folder, "redis").fresh_url(), float(sys.argv[1]) if len(sys.argv) > 1 else 20.0))
    finally:
        run.end()


if __name__ == "__main__":
    main()
