"""A watched cluster from its broker to ``/metrics`` and the store of tasks, beside Flower on the same stream.

``python -m benchmarks.watch [BROKER...] [--seconds S] [--rates R...] [--buffer N] [--peers FOLDER]`` records what a
real prefork worker sends over a broker and publishes that again and again, with fresh ids and times, from a process of
its own, which has made all of it before it begins. First live: at each rate for so many seconds to a real ``nightowl
watcher`` over SQLite: events lost, CPU an event, the lag from a marked event being published to its count on
``/metrics``, how long scrapes take, memory. Then from a full buffer: a program stands still while so many events are
published, and goes on: events a second and CPU an event, of NightOwl, and, with a tenth as many, of Flower and of what
stands in for celery-exporter. Both need ``--peers``: a virtual environment that has Flower, made there where there is
none.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Self

import redis

from benchmarks.celery_stream.brokers import outlet
from benchmarks.celery_stream.recording import record, save
from benchmarks.celery_stream.watching import Watching, exporter, flower, nightowl
from tests.servers.programs import missing
from tests.servers.run import Run, shared

MARKS = 5.0
"""Marked events a second."""

LOOK = 0.005
"""Seconds between two looks for a marked event: each is a scrape, and together they must not be the load."""

PATIENCE = 5.0
"""Seconds after which a marked event is given up: it was lost."""

NAMES, MANY = 2, 50
"""Names of tasks, for some hundred series and for ten thousand."""


class Marking:
    """Publishes marked events and sees when each shows: ``lags``, and how long scrapes took, in seconds."""

    def __init__(self, watching: Watching, url: str) -> None:
        self.lags: list[float] = []
        self.scrapes: list[float] = []
        self.sent = 0
        self.series = 0
        self._watching = watching
        self._url = url
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        with outlet(self._url) as out:
            while not self._over.wait(1 / MARKS):
                before = self._shown()
                event = {"type": "task-mark", "hostname": "marker@here", "timestamp": time.time(), "uuid": "mark"}
                out.put("task.mark", json.dumps(event).encode())
                began = time.monotonic()
                out.send(out.portion())
                self.sent += 1
                while self._shown() == before and time.monotonic() - began < PATIENCE:
                    time.sleep(LOOK)
                self.lags.append(time.monotonic() - began)

    def _shown(self) -> str:
        """How many marked events are counted."""
        began = time.monotonic()
        page = self._watching.metrics()
        self.scrapes.append(time.monotonic() - began)
        self.series = page.count("\n")
        return page.partition('type="task-mark"}')[2].partition("\n")[0]


def published(url: str, recording: Path, *options: object) -> subprocess.Popen[bytes]:
    """Publish in a process of its own, which has begun to."""
    command = [sys.executable, "-m", "benchmarks.celery_stream.publish", url, str(recording), *map(str, options)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    return process


def ended(process: subprocess.Popen[bytes]) -> dict[str, float]:
    """Wait for what it says at the end."""
    found: dict[str, float] = json.loads(process.communicate()[0])
    return found


def live(watching: Watching, url: str, recording: Path, rate: float, seconds: float, names: int) -> str:
    """Watch a stream at a steady rate: CPU in its first half, lag and scrapes in its second."""
    before = watching.events()
    stream = published(url, recording, "--rate", rate, "--seconds", seconds, "--names", names)
    time.sleep(1.0)
    first, began = watching.events(), watching.cpu()
    time.sleep(seconds / 2)
    used, taken = watching.cpu() - began, watching.events() - first
    with Marking(watching, url) as marking:
        sent = ended(stream)
    watching.wait(round(before + sent["events"] + marking.sent))
    lost = before + sent["events"] + marking.sent - watching.events()
    return (
        f"{sent['events'] / sent['seconds']:9,.0f} events/s for {sent['seconds']:.0f} s, {lost:,.0f} lost, "
        f"{used / taken * 1e6:5.1f} us CPU an event, lag {percentiles(marking.lags)}, "
        f"{marking.series:,} lines in {percentiles(marking.scrapes)}, {watching.memory():.0f} MiB"
    )


def percentiles(seconds: list[float]) -> str:
    """The middle and the 95th percentile."""
    cuts = statistics.quantiles(seconds, n=20) if len(seconds) > 1 else [float("nan")] * 19
    return f"p50 {cuts[9] * 1000:.0f} p95 {cuts[18] * 1000:.0f} ms"


def buffered(watching: Watching, url: str, recording: Path, events: int) -> str:
    """Let events pile up while it stands still, and let it go on."""
    before = watching.events()
    watching.stand(True)
    try:
        sent = ended(published(url, recording, "--events", events, "--wait", 0))
    finally:
        began, used = time.monotonic(), watching.cpu()
        watching.stand(False)
    came = watching.wait(round(before + sent["events"]))
    passed, cost = time.monotonic() - began, watching.cpu() - used
    lost = before + sent["events"] - watching.events()
    taken = sent["events"] - lost
    return (
        f"{taken / passed:9,.0f} events/s, {cost / taken * 1e6:6.1f} us CPU an event"
        f"{'' if came else f', {lost:,.0f} lost'}, {watching.memory():.0f} MiB"
    )


def peers(folder: Path | None) -> Path | None:
    """The Python of a virtual environment with Flower."""
    if folder is None:
        return None
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "flower", "celery[redis]"], check=True)
    return python


Start = Callable[[str, Path], AbstractContextManager[Watching]]


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("brokers", nargs="*", default=["redis", "rabbitmq"])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rates", type=float, nargs="+", default=[5_000.0, 50_000.0])
    parser.add_argument("--buffer", type=int, default=200_000)
    parser.add_argument("--peers", type=Path)
    options = parser.parse_args()
    run = Run()
    try:
        for kind in options.brokers:
            if why := missing(kind):
                print(f"{kind}: left out, {why}")
                continue
            broker = shared(run.folder, kind)
            recording = Path(run.folder) / f"{kind}.json"
            _record(kind, broker.fresh_url(), recording)
            _live(kind, broker.fresh_url(), recording, options)
            _buffered(kind, broker.fresh_url, recording, options)
    finally:
        run.end()


def _record(kind: str, url: str, recording: Path) -> None:
    messages = record(url)
    save(messages, recording)
    grouped = [each.events for each in messages if each.key == "task.multi"]
    print(
        f"{kind:9} record {sum(each.events for each in messages):,} events in {len(messages):,} messages, "
        f"{statistics.mean(grouped):.1f} in one of a worker",
        flush=True,
    )


def _live(kind: str, url: str, recording: Path, options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder, nightowl(url, Path(folder)) as watching:
        time.sleep(3.0)
        for rate, names in [*((rate, NAMES) for rate in options.rates), (options.rates[0], MANY)]:
            print(f"{kind:9} live   {live(watching, url, recording, rate, options.seconds, names)}", flush=True)


def _buffered(kind: str, fresh_url: Callable[[], str], recording: Path, options: argparse.Namespace) -> None:
    few = options.buffer // 10  # RabbitMQ takes so long for all that it would give up who stands still meanwhile
    starts: dict[str, tuple[Start, int]] = {"nightowl": (nightowl, options.buffer if kind == "redis" else few)}
    if python := peers(options.peers):
        starts["flower"] = partial(flower, python=python), few
        starts["State"] = partial(exporter, python=python), few
    for name, (start, events) in starts.items():
        url = fresh_url()
        if kind == "redis":  # the buffer is to be full, and the program not to be dropped
            with redis.Redis.from_url(url) as client:
                client.config_set("client-output-buffer-limit", "pubsub 0 0 0")
        with tempfile.TemporaryDirectory() as folder, start(url, Path(folder)) as watching:
            time.sleep(3.0)
            for _ in range(2):
                print(f"{kind:9} buffer {name:9} {buffered(watching, url, recording, events)}", flush=True)
        if kind == "redis":
            with redis.Redis.from_url(url) as client:
                client.config_set("client-output-buffer-limit", "pubsub 33554432 8388608 60")


if __name__ == "__main__":
    main()
