"""A fleet whose broker carries no events, or not those of tasks, and whose workers push them to NightOwl."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from nightowl.core.cluster.unseen import PUSHED
from tests.end_to_end.watching import Watching, watching
from tests.instrument.fleet import fleet

COUNT = 20
STATES = Counter({("add", "SUCCESS"): COUNT, ("boom", "FAILURE"): 1, ("again", "FAILURE"): 1, ("add", "REVOKED"): 1})
EVENTS = {
    "task-sent": COUNT + 5,
    "task-received": COUNT + 4,
    "task-started": COUNT + 4,
    "task-succeeded": COUNT,
    "task-failed": 2,
    "task-retried": 2,
    "task-revoked": 1,
}


def states(owl: Watching) -> Counter[tuple[str, str]]:
    return Counter((task["name"].rpartition(".")[2], task["state"]) for task in owl.tasks().values())


def events(owl: Watching) -> dict[str, int]:
    lines = [line for line in owl.text("/metrics").splitlines() if line.startswith("nightowl_task_events_total{")]
    return {line.split('type="')[1].split('"')[0]: int(line.split()[-1]) for line in lines}


def counted(owl: Watching, family: str, name: str) -> int:
    lines = [line for line in owl.text("/metrics").splitlines() if line.startswith(f"celery_{family}_total{{")]
    return sum(int(line.split()[-1]) for line in lines if f'.{name}"' in line)


@pytest.mark.mariadb
def test_over_mariadb_all_is_known_and_nothing_is_lost_while_nightowl_is_killed(
    mariadb_url: str, tmp_path: Path
) -> None:
    broker = f"sqla+{mariadb_url}"
    with watching(tmp_path, broker) as owl:
        push = {"NIGHTOWL_PUSH": f"http://127.0.0.1:{owl.port}", "NIGHTOWL_CLUSTER": "shop"}
        with fleet(tmp_path, broker, **push) as found:
            found.worker("prefork")
            owl.web("up")
            owl.wait()
            found.call(f"shop.load('prefork', {COUNT})")
            owl.until(lambda: states(owl) == STATES, lambda: states(owl))
            owl.until(lambda: events(owl) == EVENTS, lambda: events(owl))
            seen: Any = owl.api()
            assert [(worker["name"], worker["up"]) for worker in seen["workers"]] == [("prefork@web-1", True)]
            assert (seen["fault"], seen["gaps"]) == ("", [])
            assert "carries no events" not in str(seen)
            for family, name, count in (
                ("task_sent", "add", COUNT + 1),
                ("task_succeeded", "add", COUNT),
                ("task_failed", "boom", 1),
                ("task_retried", "again", 2),
            ):
                assert counted(owl, family, name) == count
            (sum_,) = [task for task in owl.tasks().values() if task["args"] == "(7, 1)"]
            assert (sum_["result"], sum_["queue"], sum_["worker"]) == ("8", "prefork", "prefork@web-1")

            owl.kill("up")
            found.call(f"shop.load('prefork', {COUNT}, late=0)")  # a client that ends meanwhile takes its word with it
            owl.web("up")
            owl.wait()
            twice = STATES + STATES - Counter({("add", "REVOKED"): 1})
            owl.until(lambda: states(owl) == twice, lambda: [*owl.tasks().values()] and states(owl), 30)
            assert owl.api()["gaps"] == []
            assert counted(owl, "task_succeeded", "add") == 2 * COUNT

            found.stop()
            owl.until(lambda: not owl.api()["workers"][0]["up"], lambda: owl.api()["workers"], 10)


def test_over_a_folder_what_the_broker_carries_too_is_counted_once(tmp_path: Path) -> None:
    folders = {"data_folder_in": f"{tmp_path}/queue", "data_folder_out": f"{tmp_path}/queue"}
    options = {**folders, "control_folder": f"{tmp_path}/control", "polling_interval": 0.05}
    with watching(tmp_path, f"filesystem://{tmp_path}/bus", transport_options=options) as owl:
        push = {"NIGHTOWL_PUSH": f"http://127.0.0.1:{owl.port}", "NIGHTOWL_CLUSTER": "shop"}
        with fleet(tmp_path, "filesystem://", **push) as found:
            found.worker("threads", "-E")
            owl.web("up")
            owl.wait()
            owl.until(lambda: owl.api()["workers"], "no worker is known")
            found.call(f"shop.load('threads', {COUNT})")
            owl.until(lambda: states(owl) == STATES, lambda: states(owl))
            owl.until(lambda: PUSHED in owl.api()["missing"], lambda: owl.api()["missing"])
            owl.kill("up", signal.SIGTERM)
            owl.web("up")
            owl.wait()
            assert states(owl) == STATES
            assert counted(owl, "task_succeeded", "add") == COUNT
            assert counted(owl, "task_sent", "add") == COUNT + 1
            assert counted(owl, "task_failed", "boom") == 1
