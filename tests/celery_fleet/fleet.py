"""Real Celery workers as subprocesses over a broker, which start together and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

from tests.celery_fleet.app import Place, make_app, node, queue
from tests.celery_fleet.capture import Capture, Event

ROOT = Path(__file__).parents[2]

PYTHON = os.environ.get("NIGHTOWL_FLEET_PYTHON", sys.executable)
"""Runs workers that are watched, with the Celery that is installed for it."""


class Fleet:
    """One worker for each of these pools, with a concurrency of two, each with a queue of its own.

    ``capture`` has what they say, from before the first of them starts. ``python`` is the interpreter that runs them,
    with the Celery that is installed for it.
    """

    def __init__(self, place: Place, pools: Sequence[str], capture: Capture, python: str = PYTHON) -> None:
        self.place = place
        self.pools = tuple(pools)
        self.capture = capture
        self.python = python
        self._workers: dict[str, subprocess.Popen[bytes]] = {}

    @cached_property
    def celery(self) -> str:
        """The version of its workers' Celery."""
        return celery_of(self.python)

    @property
    def queues(self) -> dict[str, str]:
        """What each node consumes."""
        return {node(pool): queue(pool) for pool in self.pools}

    @property
    def pids(self) -> list[int]:
        """Of the workers' main processes, each of which leads a group of its own."""
        return [worker.pid for worker in self._workers.values()]

    def start(self) -> None:
        """Start all and wait until each has said that it is there, and obeys."""
        for pool in self.pools:
            self._workers[pool] = self._launch(pool)
        self._wait_for("worker-online")
        self._wait_until_obeyed()

    def stop(self) -> None:
        """End all gently, and wait until each has said so: what it sent before has come by then, too."""
        for worker in self._workers.values():
            worker.send_signal(signal.SIGTERM)
        self._wait_for("worker-offline")
        self.kill()

    def kill(self) -> None:
        """End all at once, with their children."""
        for worker in self._workers.values():
            with worker, suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
        self._workers.clear()

    def logs(self) -> str:
        """The end of what each worker wrote."""
        logs = sorted(Path(self.place.results).parent.glob("*.log"))
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-2000:]}" for log in logs)

    def _wait_for(self, type_: str) -> None:
        def heard(events: list[Event]) -> bool:
            return self.queues.keys() <= {event["hostname"] for event in events if event["type"] == type_}

        self.capture.wait(heard, what=lambda: f"{type_} did not come from all workers\n{self.logs()}")

    def _wait_until_obeyed(self) -> None:
        """A worker says that it is there before it listens to commands."""
        with make_app(self.place) as app:
            silent, end = set(self.queues), time.monotonic() + 60
            while silent:
                assert time.monotonic() < end, f"{silent} do not answer\n{self.logs()}"
                answers = app.control.ping(destination=list(silent), limit=len(silent), timeout=1)
                silent -= {name for answer in answers for name in answer}

    def _launch(self, pool: str) -> subprocess.Popen[bytes]:
        options = [f"--pool={pool}", f"--hostname={node(pool)}", f"--queues={queue(pool)}", "--concurrency=2"]
        command = [self.python, "-m", "tests.celery_fleet.worker", *options, "--loglevel=WARNING"]
        with (Path(self.place.results).parent / f"{pool}.log").open("wb") as log:
            return subprocess.Popen(
                [*command, "--without-gossip", "--without-mingle"],
                cwd=ROOT,
                env=self.place.environment(pool) | {"PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def celery_of(python: str) -> str:
    """The version of the Celery that is installed for an interpreter."""
    asked = [python, "-c", "import celery; print(celery.__version__)"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def running(broker: str, pools: Sequence[str], *, sent_events: bool = True, python: str = PYTHON) -> Iterator[Fleet]:
    """A fleet over an empty broker that has started, with a capture beside it; both end with the block."""
    with tempfile.TemporaryDirectory(prefix="nightowl-fleet-") as folder:
        results = Path(folder) / "results"
        results.mkdir()
        place = Place(broker, str(results), sent_events=sent_events)
        with Capture(place) as capture:
            fleet = Fleet(place, pools, capture, python)
            try:
                fleet.start()
                yield fleet
            finally:
                fleet.kill()
