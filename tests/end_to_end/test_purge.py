"""A queue that is purged: through NightOwl nothing is missed afterwards, by others it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
import redis
from celery import Celery

from nightowl.core.cluster.findings.unreceived import PURGING
from tests.celery_fleet.app import make_app, queue
from tests.celery_fleet.fleet import running
from tests.end_to_end.watching import CLUSTER, Watching, watching
from tests.services.bus_parts import wait_for

POOL = "solo"  # which takes no message while it is busy
QUEUE = queue(POOL)
WAITING = 30
BUSY = PURGING + 2.0
"""Seconds: what is sent after it was sent long after the purge."""
TUNED: dict[str, Any] = {"findings": {"unreceived": {"after": "1s"}}}


@pytest.mark.redis
def test_what_nightowl_purges_is_not_missed_and_what_others_delete_is(redis_url: str, tmp_path: Path) -> None:
    with watching(tmp_path, redis_url, **TUNED) as nightowl, running(redis_url, [POOL]) as fleet:
        nightowl.web("up")
        nightowl.wait()
        nightowl.until(lambda: any(each["queues"] for each in nightowl.api("/workers")), "the worker was not asked")
        with redis.Redis.from_url(redis_url) as broker, make_app(fleet.place) as app:
            fill(broker, app, "fleet.add")
            assert purge(nightowl) == WAITING
            fill(broker, app, "fleet.echo")
            assert broker.delete(QUEUE) == 1
        nightowl.until(lambda: "fleet.echo" in missed(nightowl), "what others deleted is not missed")
        assert missed(nightowl) == {"fleet.echo"}


def fill(broker: redis.Redis, app: Celery, task: str) -> None:
    """Let tasks wait behind a worker that is busy."""
    app.send_task("fleet.sleep", (BUSY,), queue=QUEUE)
    wait_for(lambda: broker.llen(QUEUE) == 0, what="the worker takes nothing")
    for _ in range(WAITING):
        app.send_task(task, (1,), queue=QUEUE)
    assert broker.llen(QUEUE) == WAITING


def purge(nightowl: Watching) -> int:
    """Delete what waits, as its page does; return how many messages that were."""
    url = f"http://127.0.0.1:{nightowl.port}/api/v1/clusters/{CLUSTER}/queues/{quote(QUEUE)}/purge"
    asked = Request(url, json.dumps({"confirmed": True}).encode(), {"Content-Type": "application/json"})
    with urlopen(asked, timeout=20) as answer:
        return int(json.load(answer)["deleted"])


def missed(nightowl: Watching) -> set[str]:
    """The names of tasks that were told to be missing."""
    found = nightowl.of_all("/incidents?open=false")["incidents"]
    prefix = f"{CLUSTER}/unreceived/"
    subjects = [each["subject"] for each in found if each["subject"].startswith(prefix)]
    return {subject.removeprefix(prefix).partition("/")[0] for subject in subjects}
