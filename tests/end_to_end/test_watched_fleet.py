"""A fleet with every case, NightOwl beside an independent capture: all that it counts and shows is what that says."""

from __future__ import annotations

import os
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis

from tests.celery_fleet import load
from tests.celery_fleet.fleet import PYTHON, Fleet, celery_of, running
from tests.core.exposition_reader import value
from tests.end_to_end import expected, task_page
from tests.end_to_end.watching import CLUSTER, Watching, watching

SETTLED = 30.0
ALL = ("prefork", "threads", "gevent", "solo")
WHOLE = bool(os.environ.get("NIGHTOWL_WHOLE_FLEET"))  # all pools on both brokers take two minutes more
SECRET = "correct-horse"
TEXTS = {
    "args": "Positional arguments",
    "kwargs": "Keyword arguments",
    "result": "Result",
    "error": "Error",
    "traceback": "Traceback",
}


@pytest.fixture
def guarded_redis_url(redis_url: str) -> Iterator[str]:
    """An empty database for a user with a password."""
    user = f"owl-{uuid.uuid4().hex[:8]}"
    with redis.Redis.from_url(redis_url) as client:
        client.acl_setuser(user, enabled=True, passwords=[f"+{SECRET}"], keys=["*"], channels=["*"], commands=["+@all"])
        yield redis_url.replace("redis://", f"redis://{user}:{SECRET}@")
        client.acl_deluser(user)


@pytest.mark.redis
def test_all_that_is_shown_of_a_fleet_on_redis_is_what_a_capture_says(guarded_redis_url: str, tmp_path: Path) -> None:
    judge(guarded_redis_url, ALL if WHOLE else ("prefork", "gevent"), tmp_path)


@pytest.mark.rabbitmq
def test_all_that_is_shown_of_a_fleet_on_rabbitmq_is_what_a_capture_says(rabbitmq_url: str, tmp_path: Path) -> None:
    judge(rabbitmq_url, ALL if WHOLE else ("prefork", "solo"), tmp_path)


def judge(broker: str, pools: Sequence[str], folder: Path) -> None:
    """Play the load beside a watcher and a web, and compare everything."""
    with watching(folder, broker) as nightowl:
        nightowl.watcher()
        nightowl.web()
        with running(broker, load.tell_all(pools, celery_of(PYTHON))) as fleet:
            nightowl.wait()
            nightowl.until(lambda: knows_workers(nightowl, fleet), "the workers were not looked at")
            load.run(fleet)
        metrics_are_right(nightowl, fleet)
        tasks = tasks_are_right(nightowl, fleet)
        lists_are_right(nightowl, tasks)
        pages_are_right(nightowl, tasks)
        assert not any(word in nightowl.logs() for word in ("WARNING", "ERROR", "Traceback", SECRET)), nightowl.logs()


def knows_workers(nightowl: Watching, fleet: Fleet) -> bool:
    """Whether it knows the pool of each worker, and which queues it consumes."""
    found = {each["name"]: (each["pool"], each["queues"]) for each in nightowl.api("/workers")}
    wanted = {node: (node.partition("@")[0], [queue]) for node, queue in fleet.queues.items()}
    return found == wanted


def metrics_are_right(nightowl: Watching, fleet: Fleet) -> None:
    """Counters and histograms by their labels, and the gauges of workers and queues that have ended."""
    events = fleet.capture.events
    wanted = expected.series(events, fleet.queues)

    def wrong() -> list[str]:
        page = nightowl.metrics()
        unlike = expected.differences(expected.shown(page), wanted) + gauges_unlike(page, fleet)
        return unlike or [f"not taken in: {expected.of_tasks(events) - expected.taken_in(page)}"] * (
            expected.of_tasks(events) != expected.taken_in(page)
        )

    nightowl.until(lambda: not wrong(), lambda: "\n".join(wrong()), SETTLED)


def gauges_unlike(page: str, fleet: Fleet) -> list[str]:
    """Gauges of workers that have ended and queues that are empty, where they are not 0."""
    found = {
        **{node: value(page, "celery_worker_up", worker=node, hostname="web-1") for node in fleet.queues},
        **{f"of {node}": value(page, "celery_worker_tasks_active", worker=node) for node in fleet.queues},
        **{queue: value(page, "celery_queue_length", queue_name=queue) for queue in fleet.queues.values()},
    }
    return [f"{name}: {gauge}" for name, gauge in found.items() if gauge != 0]


def tasks_are_right(nightowl: Watching, fleet: Fleet) -> dict[str, dict[str, Any]]:
    """Every task of the API; what they must be is returned."""
    wanted = expected.tasks(fleet.capture.events, fleet.queues)

    def wrong() -> list[str]:
        found = nightowl.tasks()
        missing = [f"{uuid} is not the same in both" for uuid in found.keys() ^ wanted.keys()]
        return missing + [
            f"{uuid} {wanted[uuid]['name']}: {unequal}"
            for uuid in found.keys() & wanted.keys()
            if (unequal := expected.unlike(expected.as_told(found[uuid]), wanted[uuid]))
        ]

    nightowl.until(lambda: not wrong(), lambda: "\n".join(wrong()), SETTLED)
    return wanted


def lists_are_right(nightowl: Watching, tasks: dict[str, dict[str, Any]]) -> None:
    """Names, failures and workflows."""
    assert nightowl.api("/names") == sorted({each["name"] for each in tasks.values()})
    failures: Counter[tuple[str, str]] = Counter()
    for each in nightowl.api("/failures?limit=1000"):
        failures[each["name"], each["exception"]] += each["count"]
    failed = [each for each in tasks.values() if each["state"] == "FAILURE"]
    assert failures == Counter((each["name"], each["exception"]) for each in failed)
    families = defaultdict(set)
    for id_, each in tasks.items():
        families[each["root"]].add(id_)
    workflows = {root: family for root, family in families.items() if root and len(family) > 1}
    assert len(workflows) > 4
    for root, family in workflows.items():
        assert {each["uuid"] for each in nightowl.api(f"/workflows/{root}")} == family


def pages_are_right(nightowl: Watching, tasks: dict[str, dict[str, Any]]) -> None:
    """The text of the page of every task, but of those alike in name, state and worker one."""
    kinds = {(task["name"], task["state"], task["worker"], task["retries"]): id_ for id_, task in tasks.items()}
    for id_ in kinds.values():
        task = tasks[id_]
        html = nightowl.text(f"/clusters/{CLUSTER}/tasks/{quote(id_)}")
        assert "<script>alert" not in html
        page = task_page.read(html)
        facts = {word: " ".join(text.split()) for word, text in page.facts.items()}
        assert (page.name, page.uuid) == (task["name"], id_)
        assert facts["State"].split()[-1] == task["state"]
        assert (facts["Worker"], facts["Queue"]) == (task["worker"], task["queue"])
        assert facts["Retries"] == str(task["retries"])
        page.stages.pop("due", None)  # no event of its own
        assert expected.same_times(page.stages, task["times"]), (page.stages, task["times"])
        assert page.texts == {title: task[key] for key, title in TEXTS.items() if task[key]}
