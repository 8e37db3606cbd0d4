"""Parts for tests of the intake of events: a source that is open, Celery programs that send, and waiting for both."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from celery import Celery

from nightowl.adapters.celery_cluster.events import source
from nightowl.adapters.clock import SystemClock
from nightowl.core.cluster.events import Event, Gap
from nightowl.ports.clusters import ClusterSource

CLOCK = SystemClock()

PATIENCE = 40.0
"""Seconds; the bound only ends a test that has failed."""


class Taken:
    """All that a source has given so far."""

    def __init__(self, source: ClusterSource) -> None:
        self.source = source
        self.events: list[Event] = []
        self.gaps: list[Gap] = []
        self.refused: dict[str, int] = {}

    def read(self, timeout: float = 0.05) -> None:
        intake = self.source.read(timeout)
        self.events += intake.events
        self.gaps += intake.gaps
        for reason, count in intake.refused.items():
            self.refused[reason] = self.refused.get(reason, 0) + count

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            self.read()
            if time.monotonic() > end:
                last = [(event.type, event.uuid) for event in self.events[-3:]]
                raise AssertionError(f"not yet: {what} {last} {self.refused} {self.gaps} {self.source.fault}")

    def ready(self, app: Celery) -> None:
        """Wait until the source is subscribed, by events of its own."""

        def heard() -> bool:
            send(app, "worker-probe")
            return bool(self.of("worker-probe"))

        self.until(heard, "subscribed")

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.type == kind]


@contextmanager
def taking(url: str, **options: Any) -> Iterator[Taken]:
    found = source(url, clock=CLOCK, **options)
    try:
        yield Taken(found)
    finally:
        found.close()


@contextmanager
def celery(url: str, **settings: Any) -> Iterator[Celery]:
    """A Celery app that sends from this process."""
    app = Celery("sender", broker=url, set_as_current=False)
    app.conf.update(broker_connection_retry_on_startup=False, **settings)
    try:
        yield app
    finally:
        app.close()


def send(app: Celery, kind: str, **fields: Any) -> None:
    """Send one event as a worker does."""
    with app.connection_for_write() as connection, app.events.Dispatcher(connection, hostname="celery@web") as sender:
        sender.send(kind, **fields)


PROGRAM = """
from celery import Celery
app = Celery("shop", broker={url!r})
app.conf.update({settings!r})

@app.task(name="shop.add")
def add(x, y):
    return x + y

@app.task(name="shop.fail")
def fail():
    raise LookupError("no such basket")
"""


@contextmanager
def worker(folder: Path, url: str, pool: str, settings: Mapping[str, Any] | None = None) -> Iterator[None]:
    """A real worker in a process of its own."""
    (folder / "shop.py").write_text(textwrap.dedent(PROGRAM).format(url=url, settings=dict(settings or {})))
    command = [sys.executable, "-m", "celery", "-A", "shop", "worker", "-E", "-P", pool, "-c", "2"]
    log = folder / "worker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "-n", "w1@%h", "--without-gossip", "--without-mingle", "-l", "WARNING"],
            cwd=folder,
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
            stdout=output,
            stderr=output,
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(30.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
