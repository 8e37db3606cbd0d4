"""A watcher that is killed under load, and the next one: history, a gap, counters that only rise, open tasks."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.celery_fleet.app import make_app, node
from tests.celery_fleet.fleet import Fleet, running
from tests.end_to_end import expected
from tests.end_to_end.scraping import Scraper
from tests.end_to_end.watching import Watching, watching

POOL = "prefork"
LATER = "later"
"""A queue that nobody consumes before the next watcher is there."""

PACE = 0.02
"""Seconds between two tasks of the load."""

HISTORY = 5.0
"""Seconds that a task has ended before the kill; what ended later may not be stored yet."""

SETTLED = 30.0


@contextmanager
def load(fleet: Fleet, nightowl: Watching) -> Iterator[set[str]]:
    """Send short tasks without a pause while one task runs and others wait in a queue; all have ended after the block.

    The long ones are given. They are in the store from the beginning on, and go on at the end.
    """
    stop = threading.Event()
    with make_app(fleet.place, POOL) as app:

        def send() -> None:
            while not stop.wait(PACE):
                app.send_task("fleet.add", (1, 2))
                app.send_task("fleet.fail", ("<b>no</b>",))

        runs = app.send_task("fleet.sleep", (600,)).id
        waiting = [app.send_task("fleet.echo", (number,), {"blob": "<b>"}, queue=LATER).id for number in range(5)]
        wanted = {runs: "STARTED"} | dict.fromkeys(waiting, "PENDING")
        thread = threading.Thread(target=send)
        thread.start()
        try:
            nightowl.until(lambda: wanted.items() <= states(nightowl).items(), "the long tasks are not known")
            nightowl.until(lambda: has_history(nightowl), "no task has ended long ago")
            yield set(wanted)
        finally:
            stop.set()
            thread.join()
        app.control.add_consumer(LATER, destination=[node(POOL)])
        app.control.revoke(runs, terminate=True, signal="SIGKILL", destination=[node(POOL)])
        fleet.capture.wait(all_ended, what="tasks did not end")


def has_history(nightowl: Watching) -> bool:
    """Whether tasks ended before what a watcher may not have stored yet."""
    ends = [moment(task["succeeded"]) for task in nightowl.tasks().values() if task["succeeded"]]
    return time.time() - min(ends, default=time.time()) > HISTORY


def all_ended(events: list[dict[str, Any]]) -> bool:
    ends = ("task-succeeded", "task-failed", "task-revoked")
    ended = {each["uuid"] for each in events if each["type"] in ends}
    return {each["uuid"] for each in events if each["type"] == "task-sent"} == ended


def states(nightowl: Watching) -> dict[str, str]:
    return {id_: task["state"] for id_, task in nightowl.tasks().items()}


def judge(nightowl: Watching, fleet: Fleet, longs: set[str], page: str) -> None:
    """Compare what is known with what was told, but for what was told in the one gap."""
    (gap,) = nightowl.api("/gaps")
    assert gap["reason"] == "no watcher ran that could store what it read"
    start, end = moment(gap["start"]), moment(gap["end"])
    events = fleet.capture.events
    outside = expected.of_tasks(each for each in events if not start <= each["timestamp"] <= end)
    for counted in (expected.taken_in(page), totals(page)):
        assert outside <= counted <= expected.of_tasks(events), (outside, counted, expected.of_tasks(events))
    cut = {each["uuid"] for each in events if "uuid" in each and start <= each["timestamp"] <= end}
    wanted, found = expected.tasks(events, fleet.queues), nightowl.tasks()
    whole = (wanted.keys() - cut) | longs  # the long ones were in the store before it was killed
    ends = [max(wanted[id_]["times"].values()) for id_ in whole]
    assert min(ends) < start < end < max(ends)
    assert not [unlike for id_ in whole if (unlike := expected.unlike(expected.as_told(found[id_]), wanted[id_]))]


def totals(page: str) -> Counter[str]:
    """What the counters of tasks come to, by type of event."""
    found: Counter[str] = Counter()
    for (name, _), value in expected.shown(page).items():
        if name.endswith("_total"):
            found[f"task-{name.split('_')[2]}"] += int(value)
    return found


@pytest.mark.redis
def test_after_a_kill_history_goes_on_with_a_gap_and_counters_that_only_rise(redis_url: str, tmp_path: Path) -> None:
    with watching(tmp_path, redis_url) as nightowl, running(redis_url, (POOL,)) as fleet:
        nightowl.watcher()
        nightowl.web()
        nightowl.wait()
        with Scraper(nightowl, "watcher", "web") as scraper, load(fleet, nightowl) as longs:
            before = nightowl.tasks()
            nightowl.kill("watcher")
            time.sleep(1.0)  # what is told meanwhile is lost
            nightowl.watcher()
            nightowl.until(lambda: nightowl.api("/gaps"), "the next one does not watch")
            scraper.wait_for_more("watcher")
            assert before.keys() <= nightowl.tasks().keys()
        settle(nightowl, fleet, "watcher")
        judge(nightowl, fleet, longs, nightowl.metrics())
        assert scraper.backwards == []


@pytest.mark.redis
def test_a_standby_takes_over_and_counts_nothing_twice(redis_url: str, tmp_path: Path) -> None:
    with watching(tmp_path, redis_url) as nightowl, running(redis_url, (POOL,)) as fleet:
        nightowl.watcher("one")
        nightowl.web()
        nightowl.wait()
        nightowl.until(lambda: node(POOL) in str(nightowl.api("/workers")), "the first does not watch")
        nightowl.watcher("other")
        nightowl.wait()
        with Scraper(nightowl, "one", "other", "web") as scraper, load(fleet, nightowl) as longs:
            nightowl.kill("one")
            nightowl.until(lambda: nightowl.api("/gaps"), "the other did not take over")
            scraper.wait_for_more("other")
        settle(nightowl, fleet, "other")
        judge(nightowl, fleet, longs, nightowl.metrics("other"))
        assert scraper.backwards == []


def settle(nightowl: Watching, fleet: Fleet, name: str) -> None:
    """Wait until all is stored that ended after the gap."""
    wanted = expected.tasks(fleet.capture.events, fleet.queues)
    (gap,) = nightowl.api("/gaps")
    late = {id_: task for id_, task in wanted.items() if told_at(task) > moment(gap["end"])}

    def missing() -> dict[str, Any]:
        found = states(nightowl)
        return {id_: (task, found.get(id_)) for id_, task in late.items() if found.get(id_) != task["state"]}

    nightowl.until(lambda: not missing(), lambda: list(missing().items())[:3], SETTLED)
    assert nightowl.answers(nightowl.ports[name], "/metrics")


def told_at(task: dict[str, Any]) -> float:
    """When a worker told of a task last: a busy client may tell of its sending after it has ended."""
    return max((at for stage, at in task["times"].items() if stage != "sent"), default=0.0)


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
