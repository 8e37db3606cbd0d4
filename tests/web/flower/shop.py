"""NightOwl before a real worker on Redis: intake, store and web as they run, asked over HTTP."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
from celery import Celery
from msgspec.structs import replace

from nightowl.core.cluster.settings import FlowerSettings
from nightowl.roles.installation import Installation
from nightowl.roles.watcher import WatcherRole
from nightowl.roles.web import handlers
from nightowl.web.app import make_app
from nightowl.web.serve import ServerThread
from nightowl.wire.clock import CLOCK
from nightowl.wire.remote import Remotes
from tests.celery_fleet.fleet import PYTHON

T = TypeVar("T")

WORKER = "one@shop"

APP = """
import os, time
from celery import Celery
from celery.contrib.abortable import AbortableTask

app = Celery("shop", broker=os.environ["BROKER"], backend=os.environ["BROKER"])
app.conf.update(
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=1,
    worker_pool_restarts=True,
    task_send_sent_event=True,
    task_routes={"shop.routed": {"queue": "other"}},
    beat_schedule={"hourly": {"task": "shop.add", "schedule": 3600.0, "args": (1, 2)}},
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

@app.task(name="shop.routed")
def routed(key="", api_token=""):
    return "<b>routed</b>"

@app.task(name="shop.parent")
def parent():
    return [add.delay(number).id for number in range(2)]

@app.task(name="shop.patient", bind=True, base=AbortableTask)
def patient(self):
    while not self.is_aborted():
        time.sleep(0.05)
    return "ended early"
"""


class Shop:
    """The cluster, what watches it, and a client of its Flower API."""

    def __init__(self, installation: Installation, app: Celery, client: httpx.Client) -> None:
        self.installation = installation
        self.app = app
        self.client = client

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self.client.get(path, **arguments)

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        return self.client.post(path, **arguments)

    def message(self, path: str, **arguments: Any) -> str:
        answer = self.post(path, **arguments)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json; charset=UTF-8"
        return str(answer.json()["message"])

    def refused(self, path: str, status: int, **arguments: Any) -> str:
        answer = self.post(path, **arguments)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "text/plain; charset=UTF-8"
        return answer.text

    def run(self, task: str, *args: Any, **body: Any) -> dict[str, Any]:
        """Run a task to its end, and wait until the end is known."""
        answer = self.post(f"/api/task/apply/{task}", json={"args": args, **body}).json()
        until(lambda: self.task(answer["task-id"]).get("state") == answer["state"])
        return dict(answer)

    def task(self, uuid: str) -> dict[str, Any]:
        answer = self.get(f"/api/task/info/{uuid}")
        return dict(answer.json()) if answer.status_code == 200 else {}

    def inspected(self) -> dict[str, Any]:
        answer = self.get("/api/workers", params={"refresh": 1, "workername": WORKER})
        assert answer.status_code == 200, answer.text
        return dict(answer.json()[WORKER])

    @contextmanager
    def beside(self, *, control: bool = True, clusters: Any = None, **settings: Any) -> Iterator[httpx.Client]:
        """Another face of the same installation, asked over HTTP. It knows nothing of the app but what workers say."""
        own = handlers(self.installation, list)
        known = clusters or {
            name: replace(each, control=control) for name, each in self.installation.current().clusters.items()
        }
        flower = {name: settings.pop(name) for name in ("basic_auth", "unauthenticated_api") if name in settings}
        remotes = Remotes(lambda: known, own.store, own.tasks, CLOCK)
        face = replace(
            own,
            clusters=lambda: known,
            remote=remotes,
            flower=FlowerSettings(**flower),
            settings=replace(own.settings, **settings),
        )
        with served(make_app(face)) as client:
            yield client
        remotes.close()


@contextmanager
def served(app: Any) -> Iterator[httpx.Client]:
    ready = threading.Event()
    server = ServerThread(app, "127.0.0.1", 0, ready=lambda _: ready.set())
    server.start()
    try:
        assert ready.wait(30)
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60.0) as client:
            yield client
    finally:
        server.stop()


def until(condition: Callable[[], T], seconds: float = 60.0) -> T:
    """Poll until something is true; the bound only ends a test that has failed."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.03)
    return found


@contextmanager
def working(folder: Path, broker: str, *more: str, name: str = WORKER, queues: str = "celery,other") -> Iterator[None]:
    (folder / "shop.py").write_text(APP)
    command = [PYTHON, "-m", "celery", "-A", "shop", "worker", "-n", name, "-c", "2", "-Q", queues]
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "-l", "warning", "--without-mingle", "--without-gossip", *more],
            cwd=folder,
            env={**os.environ, "BROKER": broker},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def app_of(broker: str) -> Celery:
    """The app of the workers, as this process has it."""
    os.environ["BROKER"] = broker
    names: dict[str, Any] = {}
    exec(compile(APP, "shop.py", "exec"), names)
    return names["app"]


@contextmanager
def watching(installation: Installation) -> Iterator[None]:
    """Watch the installation's clusters."""
    stop = threading.Event()
    thread = threading.Thread(target=WatcherRole(installation).run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
