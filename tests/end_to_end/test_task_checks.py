"""Checks of tasks through ``nightowl up`` beside real workers: what does not start, or does not end, goes down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from tests.celery_fleet.app import make_app, queue
from tests.celery_fleet.fleet import running
from tests.end_to_end.watching import CLUSTER, Watching, watching

TASK = {"kind": "task", "cluster": CLUSTER}
CHECKS = {
    "misspelt": TASK | {"task": "fleet.ad", "every": "10s", "grace": "1s"},
    "forgotten": TASK | {"task": "fleet.total", "every": "15s", "grace": "1s"},
    "regular": TASK | {"task": "fleet.add", "every": "1h"},
    "slow": TASK | {"task": "fleet.sleep", "every": "1h", "max_runtime": "1s"},
}


@pytest.mark.redis
def test_a_task_that_does_not_start_goes_down_and_one_that_runs_is_up(redis_url: str, tmp_path: Path) -> None:
    with watching(tmp_path, redis_url, checks=CHECKS) as nightowl, running(redis_url, ["solo"]) as fleet:
        nightowl.web("up")
        nightowl.wait()
        nightowl.until(lambda: nightowl.api("/workers"), "the worker was not heard")
        with make_app(fleet.place) as app:
            send(app, "fleet.add", 1, 2)
            send(app, "fleet.sleep", 4.0)
        wanted = {"misspelt": "task.late", "forgotten": "task.late", "regular": "", "slow": ""}
        nightowl.until(lambda: reasons(nightowl) == wanted, lambda: f"{reasons(nightowl)}", 60.0)
        assert {each["state"] for each in rounds(nightowl, "misspelt")} == {"down"}
        assert [(each["state"], each["reason"]) for each in rounds(nightowl, "slow")] == [
            ("down", "task.unfinished"),
            ("up", ""),
        ]
        opened = {each["subject"] for each in nightowl.of_all("/incidents")["incidents"]}
        assert opened == {"misspelt", "forgotten", "slow"}


def send(app: Celery, task: str, *args: object) -> None:
    app.send_task(task, args, queue=queue("solo"))


def rounds(nightowl: Watching, name: str) -> list[dict[str, Any]]:
    return list(nightowl.of_all(f"/checks/{name}/rounds")["rounds"])


def reasons(nightowl: Watching) -> dict[str, str | None]:
    """The reason of each check's newest round (None: it has none)."""
    return {name: next((each["reason"] for each in reversed(rounds(nightowl, name))), None) for name in CHECKS}
