"""A watched cluster for tests: real workers as processes, of an app that knows nothing of NightOwl."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.celery_fleet.fleet import PYTHON

T = TypeVar("T")

APP = """
import json, os, time
from celery import Celery
from celery.contrib.abortable import AbortableTask

app = Celery("shop", broker=os.environ["BROKER"], backend=os.environ.get("BACKEND") or None)
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options=json.loads(os.environ["OPTIONS"]),
    worker_hijack_root_logger=False,
    worker_pool_restarts=True,
    worker_prefetch_multiplier=1,
)

@app.task(name="shop.add")
def add(a, b=0):
    return a + b

@app.task(name="shop.fail")
def fail():
    raise ValueError("no stock")

@app.task(name="shop.sleep")
def sleep(seconds):
    time.sleep(seconds)

@app.task(name="shop.patient", bind=True, base=AbortableTask)
def patient(self):
    while not self.is_aborted():
        time.sleep(0.05)
    return "ended early"
"""


@contextmanager
def workers(
    folder: Path, broker: str, *fleet: Sequence[str], backend: str = "", options: str = "{}"
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run workers, each with these arguments of ``celery worker``, until the block ends."""
    (folder / "shop.py").write_text(APP)
    environment = {**os.environ, "BROKER": broker, "BACKEND": backend, "OPTIONS": options}
    started = []
    with (folder / "workers.log").open("ab") as log:
        for arguments in fleet:
            command = [PYTHON, "-m", "celery", "-A", "shop", "worker", "--without-mingle", "--without-gossip"]
            started.append(
                subprocess.Popen(
                    [*command, "-l", "warning", *arguments],
                    cwd=folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )
    try:
        yield started
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until(condition: Callable[[], T], seconds: float = 60.0) -> T:
    """Poll until something is true; the bound only ends a test that has failed."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
    return found
