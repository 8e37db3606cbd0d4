"""Folding what a real prefork worker sends, beside what plain counting of the same events says."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager

import msgspec
import pytest
from celery import Celery

from nightowl.core.cluster.events import Event, Intake
from nightowl.core.cluster.figures import KINDS, Figures
from nightowl.core.cluster.fold import Fold
from nightowl.core.cluster.workers import Workers

SHOP = "tests.services.celery_shop"
WORKER = "celery@till"
DEADLINE = 40.0


@contextmanager
def worker(url):
    """A prefork worker of the shop."""
    command = [sys.executable, "-m", "celery", "-A", SHOP, "worker", "-E", "-c", "2", "-n", WORKER, "-l", "ERROR"]
    with subprocess.Popen(
        command, env=os.environ | {"SHOP_BROKER": url}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(DEADLINE)


class Capture:
    """All events of a broker with the moments at which Celery's own receiver handed them over."""

    def __init__(self, app):
        self.events = []
        self._connection = app.connection()
        self._receiver = app.events.Receiver(self._connection, handlers={"*": self._take})
        self._thread = threading.Thread(target=self._receiver.capture, kwargs={"wakeup": False}, daemon=True)
        self._thread.start()

    def _take(self, event):
        known = {name: value for name, value in event.items() if name in Event.__struct_fields__}
        self.events.append((time.time(), msgspec.convert(known, Event, strict=False)))

    def until(self, condition):
        """Wait until a condition holds of the events."""
        end = time.monotonic() + DEADLINE
        while not condition(self.events):
            assert time.monotonic() < end, Counter(event.type for _, event in self.events)
            time.sleep(0.05)

    def close(self):
        self._receiver.should_stop = True
        self._thread.join(DEADLINE)
        self._connection.close()


def seen(events, kind, count):
    return sum(event.type == kind for _, event in events) >= count


@pytest.mark.redis
def test_the_ends_of_a_real_workers_tasks(redis_url):
    app = Celery("client", broker=redis_url)
    app.conf.update(task_send_sent_event=True, task_default_queue="orders")
    with closing(Capture(app)) as capture, worker(redis_url):
        capture.until(lambda events: seen(events, "worker-online", 1))
        names = [*["pay"] * 5, *["refuse"] * 3, "insist", "reject", "ignore", "hang", "die"]
        sent = {app.send_task(f"{SHOP}.{name}", [1] if name in ("pay", "refuse") else []).id: name for name in names}
        gone = app.send_task(f"{SHOP}.gone").id
        capture.until(lambda events: seen(events, "task-succeeded", 6) and seen(events, "task-failed", 7))
        capture.until(lambda events: seen(events, "task-rejected", 1))
    app.close()
    fold = folded(capture.events)
    tasks = {uuid: entry.task for uuid, entry in fold._tasks.items()}
    state = {name: tasks[uuid].state for uuid, name in sent.items()}
    assert state == {
        "pay": "SUCCESS", "refuse": "FAILURE", "insist": "SUCCESS", "reject": "REJECTED", "ignore": "STARTED",
        "hang": "FAILURE", "die": "FAILURE",
    }  # fmt: skip
    shown = {name: tasks[uuid] for uuid, name in sent.items()}
    assert (shown["insist"].retries, shown["insist"].executions, tasks[gone].exception) == (2, 3, "NotRegistered")
    assert (shown["refuse"].exception, shown["reject"].exception) == (f"{SHOP}.Refused", "Reject")
    assert shown["refuse"].place.startswith("services/celery_shop.py:")
    assert all(task.wait is not None for task in shown.values())
    assert counted(fold.figures) == plainly_counted(capture.events, sent | {gone: "gone"})
    (till,) = fold.workers.standing()
    assert (till.name, till.up, till.goodbye, till.software) == (WORKER, False, True, "py-celery")


def folded(events):
    fold = Fold(Figures(), Workers(), default_queue="elsewhere")
    for at, event in events:
        fold.take([Intake(at=at, events=[event])], at)
        fold.known({}, fold.unknown(), at)
    return fold


def counted(figures):
    """Counts by task, stage and exception; all of them are of one worker and queue."""
    assert {key[1:] for key in figures.cells} == {(WORKER, "orders")}
    found = Counter()
    for (name, _, _), cell in figures.cells.items():
        task = name.rpartition(".")[2]
        found.update({(task, kind, ""): count for kind, count in zip(KINDS, cell.counts, strict=True) if count})
        found.update({(task, "failed", exception): failed.count for exception, failed in cell.failed.items()})
    return found


def plainly_counted(events, names):
    """The same from the events alone, with what each task is known to have failed of."""
    failed = {"refuse": "Refused", "hang": "TimeLimitExceeded", "die": "WorkerLostError", "gone": "NotRegistered"}
    found = Counter()
    for _, event in events:
        task, stage = names.get(event.uuid), event.type.removeprefix("task-")
        if task and stage != "sent" and (task, stage) != ("reject", "failed"):
            found[task, stage, failed[task] if stage == "failed" else ""] += 1
    found["hang", "failed", "TimeLimitExceeded"] = 1
    return found
