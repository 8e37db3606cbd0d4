"""Debian's Prometheus scrapes NightOwl: the queries of the celery-mixin return data, and its alerts become pending."""

from __future__ import annotations

import json
import os
import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from tests.celery_fleet.app import make_app, queue
from tests.celery_fleet.fleet import Fleet, running
from tests.conftest import FOLDER
from tests.end_to_end import mixin
from tests.end_to_end.watching import watching
from tests.servers.prometheus_server import Prometheus

POOLS = ("threads", "solo")
BACKLOG = 101
SCRAPE = """
global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}
rule_files: [rules.yml]
scrape_configs:
{jobs}
"""
JOBS = """
- job_name: {job}
  metrics_path: /metrics/cluster/shop
  static_configs: [{{ targets: ["127.0.0.1:{port}"] }}]
"""


class Scraping(Prometheus):
    """Scrapes ``jobs``, ports by their names, under the mixin's rules."""

    jobs: dict[str, int]

    def prepare(self) -> None:
        """A configuration as a user writes it."""
        jobs = "".join(JOBS.format(job=job, port=port) for job, port in self.jobs.items())
        (self.folder / "prometheus.yml").write_text(SCRAPE.format(jobs=jobs))
        (self.folder / "rules.yml").write_text(mixin.RULES)

    def ask(self, path: str) -> Any:
        """What its API says. Raises ``OSError``."""
        with urlopen(f"{self.url}/api/v1/{path}", timeout=10) as answer:
            return json.load(answer)["data"]

    def values(self, query: str) -> list[float]:
        """The values of a query's series."""
        return [float(each["value"][1]) for each in self.ask(f"query?query={quote(query)}")["result"]]

    def alerts(self) -> dict[str, str]:
        """The state of each rule; Prometheus has read all of them."""
        rules = [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]
        return {rule["name"]: rule["state"] for rule in rules}


@pytest.fixture
def scraping(pytestconfig: pytest.Config) -> Iterator[Callable[[dict[str, int]], Scraping]]:
    servers: list[Scraping] = []

    def start(jobs: dict[str, int]) -> Scraping:
        server = Scraping(pytestconfig.stash[FOLDER], f"own-prometheus-{uuid.uuid4().hex[:8]}")
        servers.append(server)
        server.jobs = jobs
        server.start()
        return server

    yield start
    for server in servers:
        server.remove()


def wave(fleet: Fleet) -> None:
    """Send tasks that go in each way that a counter tells, and wait until they have."""
    with make_app(fleet.place, "threads") as app:
        for name in ("fleet.add", "fleet.fail", "fleet.retry_once", "fleet.reject"):
            args = {"fleet.add": (1,), "fleet.fail": ("no",)}.get(name, ())
            ids = [app.send_task(name, args).id for _ in range(3)]
        ids += [app.send_task("fleet.sleep", (0.1,)).id, app.send_task("fleet.add", (1,), countdown=2, expires=1).id]
    ends = {"task-succeeded", "task-failed", "task-revoked", "task-rejected"}
    fleet.capture.wait(lambda events: set(ids) <= {each["uuid"] for each in events if each["type"] in ends})


def leave_lying(fleet: Fleet) -> None:
    """Put tasks into a queue that nobody consumes."""
    with make_app(fleet.place, "threads") as app:
        for _ in range(BACKLOG):
            app.send_task("fleet.add", (1,), queue="backlog")


def seen(prometheus: Scraping, job: str) -> float:
    """How many failures of the fleet a job has scraped."""
    return sum(prometheus.values(f'celery_task_failed_total{{job="{job}",name="fleet.fail"}}'))


@pytest.mark.redis
@pytest.mark.prometheus
def test_the_mixin_has_data_after_two_waves_and_its_alerts_become_pending(
    redis_url: str, tmp_path: Path, scraping: Callable[[dict[str, int]], Scraping]
) -> None:
    with watching(tmp_path, redis_url) as nightowl, running(redis_url, POOLS) as fleet:
        nightowl.watcher()
        nightowl.web()
        prometheus = scraping({mixin.JOB: nightowl.ports["watcher"], mixin.OLDER_JOB: nightowl.port})
        nightowl.wait()
        nightowl.until(lambda: all(queue(pool) in str(nightowl.api("/workers")) for pool in POOLS), "no workers")
        for number in (1, 2):
            wave(fleet)
            for job in (mixin.JOB, mixin.OLDER_JOB):
                nightowl.until(
                    lambda job=job, count=3 * number: seen(prometheus, job) == count, f"{job} was not scraped"
                )
        empty = [query for query in mixin.queries() if not prometheus.values(query)]
        assert empty == []
        for event in mixin.EVENTS:
            assert prometheus.values(f'sum(increase(celery_task_{event}_total{{job="{mixin.JOB}"}}[6h])) > 0'), event
        leave_lying(fleet)
        os.kill(fleet.pids[1], signal.SIGTERM)
        wanted = dict.fromkeys(("CeleryTaskHighFailRate", "CeleryHighQueueLength", "CeleryWorkerDown"), "pending")
        nightowl.until(lambda: prometheus.alerts() == wanted, prometheus.alerts)
