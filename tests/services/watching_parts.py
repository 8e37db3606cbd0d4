"""A real worker of the shop, and the watcher's role over a configuration of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from celery import Celery

from nightowl.core.cluster.task import TaskFilter
from nightowl.roles.installation import Installation
from nightowl.roles.watcher import WatcherRole

SHOP = "tests.services.celery_shop"
DEADLINE = 60.0


@contextmanager
def worker(broker: str) -> Iterator[None]:
    """A worker that sends events, with one process."""
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        SHOP,
        "worker",
        "-E",
        "-c",
        "1",
        "-n",
        "celery@till",
        "-l",
        "ERROR",
    ]
    with subprocess.Popen(
        command, env=os.environ | {"SHOP_BROKER": broker}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(DEADLINE)


@contextmanager
def sending(broker: str) -> Iterator[Celery]:
    """A client of the shop that tells of what it sends."""
    app = Celery("client", broker=broker, set_as_current=False)
    app.conf.update(task_send_sent_event=True, task_default_queue="orders")
    yield app
    app.close()


class Watching:
    """A watcher under way, and what it has stored."""

    def __init__(self, installation: Installation, role: WatcherRole) -> None:
        self.tasks = installation.tasks
        self.role = role

    def missing(self) -> str:
        """What it says that it cannot see."""
        state = self.tasks.state("shop")
        return " ".join(state.missing) if state else ""

    def hears(self) -> bool:
        """Whether a worker was heard."""
        state = self.tasks.state("shop")
        return state is not None and not state.fault and any(worker.up for worker in state.workers)

    def asks(self) -> bool:
        """Whether a worker has told of itself when it was asked."""
        state = self.tasks.state("shop")
        return state is not None and [worker.queues for worker in state.workers] == [("orders",)]

    def measures(self) -> bool:
        """Whether the queue of the shop was looked at."""
        state = self.tasks.state("shop")
        return state is not None and any(queue.name == "orders" and queue.ready == 0 for queue in state.queues)

    def done(self, name: str) -> bool:
        """Whether a task of this name has succeeded in the queue of the shop."""
        wanted = TaskFilter(names=(f"{SHOP}.{name}",), states=("SUCCESS",), queues=("orders",))
        return bool(self.tasks.page("shop", wanted, after=None, limit=1).tasks)


@contextmanager
def watching(folder: Path, configuration: str) -> Iterator[Watching]:
    """Watch as a configuration says; ``STATE_DIRECTORY`` must be the test's own."""
    path = folder / "nightowl.toml"
    path.write_text(configuration)
    installation = Installation(str(path))
    role, stop = WatcherRole(installation), threading.Event()
    thread = threading.Thread(target=role.run, args=(stop,))
    thread.start()
    try:
        yield Watching(installation, role)
    finally:
        stop.set()
        thread.join()
        installation.tasks.close()
        installation.store.close()
