"""Garbage and hostile events in a cluster's channel under load: nothing falls, what is true stays right and escaped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote

import pytest

from tests.celery_fleet.app import make_app, node, queue
from tests.celery_fleet.fleet import Fleet, running
from tests.core.exposition_reader import read, value
from tests.end_to_end import hostile
from tests.end_to_end.watching import CLUSTER, Watching, watching

POOL = "threads"
ROUNDS = 5
EACH = 20
LARGEST = 300_000
"""KiB that a watcher may take."""


def play(fleet: Fleet, url: str) -> dict[str, str]:
    """Send tasks and hostile events in turn; return how each task must end."""
    wanted = {}
    with make_app(fleet.place, POOL) as app:
        for _ in range(ROUNDS):
            hostile.publish(url)
            for number in range(EACH):
                wanted[app.send_task("fleet.add", (number, 1)).id] = "SUCCESS"
                wanted[app.send_task("fleet.fail", (hostile.SCRIPT,)).id] = "FAILURE"
    return wanted


def counted(page: str) -> list[float | None]:
    """What is counted of the real tasks on their worker."""
    own = {"worker": node(POOL), "queue_name": queue(POOL)}
    add = [value(page, f"celery_task_{kind}_total", name="fleet.add", **own) for kind in ("received", "succeeded")]
    fail = value(page, "celery_task_failed_total", name="fleet.fail", exception="ValueError", **own)
    return [*add, fail]


def addresses(nightowl: Watching) -> Iterator[str]:
    """Pages of everything that strangers named."""
    base = f"/clusters/{CLUSTER}"
    yield from ("/", "/clusters", base, *(f"{base}/{part}" for part in ("workers", "queues", "tasks", "failures")))
    for id_ in nightowl.tasks().keys() - real(nightowl):
        yield f"{base}/tasks/{quote(id_, safe='')}"
        yield f"{base}/workflows/{quote(id_, safe='')}"
    yield from (f"{base}/workers/{quote(each['name'], safe='')}" for each in nightowl.api("/workers"))
    yield from (f"{base}/queues/{quote(each['name'], safe='')}" for each in nightowl.api("/queues"))


def real(nightowl: Watching) -> set[str]:
    """Tasks that the fleet ran."""
    return {id_ for id_, task in nightowl.tasks().items() if task["worker"] == node(POOL)}


def status_and_text(nightowl: Watching, path: str) -> tuple[int, str]:
    """What a page answers, whatever its status."""
    try:
        return 200, nightowl.text(path)
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def memory(pid: int) -> int:
    """KiB that a process has taken at most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


@pytest.mark.redis
def test_garbage_and_hostile_events_change_nothing_of_what_is_true(redis_url: str, tmp_path: Path) -> None:
    with watching(tmp_path, redis_url) as nightowl, running(redis_url, (POOL,)) as fleet:
        nightowl.watcher()
        nightowl.web()
        nightowl.wait()
        nightowl.until(lambda: queue(POOL) in str(nightowl.api("/workers")), "the worker is not known")
        fleet.capture.__exit__()  # it is no match for what comes now
        wanted = play(fleet, redis_url)
        right = [ROUNDS * EACH] * 3
        nightowl.until(lambda: counted(nightowl.metrics()) == right, lambda: counted(nightowl.metrics()))
        nightowl.until(lambda: wanted.items() <= ends(nightowl).items(), "the tasks are not known as they ended")
        found, _ = read(nightowl.text("/metrics"))
        assert sum(count for (name, _), count in found.items() if name == "nightowl_events_refused_total") > 500
        nightowl.until(lambda: len(set(addresses(nightowl))) > 40, lambda: sorted(addresses(nightowl)))
        shown = {path: status_and_text(nightowl, path) for path in set(addresses(nightowl))}
        # An address with a control character in it is refused wherever it leads.
        assert {path: status for path, (status, _) in shown.items() if status != (400 if "%0A" in path else 200)} == {}
        assert [path for path, (_, text) in shown.items() if "<script>alert" in text or "<img src=x" in text] == []
        assert memory(nightowl.pid("watcher")) < LARGEST
        assert "Traceback" not in nightowl.logs()
        assert len(nightowl.logs().splitlines()) < 20, nightowl.logs()


def ends(nightowl: Watching) -> dict[str, Any]:
    return {id_: task["state"] for id_, task in nightowl.tasks().items()}
