"""Debian's Prometheus scrapes NightOwl: queries of the celery-mixin and of our own dashboards and rules return data.

And the mixin's alerts become pending.
"""

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
from tests.celery_fleet.wave import wave
from tests.conftest import FOLDER
from tests.deploy import queries
from tests.end_to_end import mixin
from tests.end_to_end.https_target import Shop, https_shop
from tests.end_to_end.watching import watching
from tests.servers.prometheus_server import Prometheus

POOLS = ("threads", "solo")
BACKLOG = 101
SCRAPE = """
global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}
rule_files: [rules.yml, own.yml]
scrape_configs:
{jobs}
"""
JOBS = """
- job_name: {job}
  metrics_path: {path}
  static_configs: [{{ targets: [{targets}] }}]
"""
OF_CLUSTER = "/metrics/cluster/shop"
PLACES = ("london", "sydney")
RATE = "15s"
"""Grafana's ``$__rate_interval`` for a scrape each second, at least."""


Jobs = dict[str, tuple[str, list[int]]]
"""A path and ports, by the name of the job."""


class Scraping(Prometheus):
    """Scrapes ``jobs`` under the mixin's rules and our own."""

    jobs: Jobs

    def prepare(self) -> None:
        """A configuration as a user writes it."""
        jobs = "".join(
            JOBS.format(job=job, path=path, targets=", ".join(f'"127.0.0.1:{port}"' for port in ports))
            for job, (path, ports) in self.jobs.items()
        )
        (self.folder / "prometheus.yml").write_text(SCRAPE.format(jobs=jobs))
        (self.folder / "rules.yml").write_text(mixin.RULES)
        (self.folder / "own.yml").write_text(queries.RULES.read_text())

    def ask(self, path: str) -> Any:
        """What its API says. Raises ``OSError``."""
        with urlopen(f"{self.url}/api/v1/{path}", timeout=10) as answer:
            return json.load(answer)["data"]

    def values(self, query: str) -> list[float]:
        """The values of a query's series."""
        return [float(each["value"][1]) for each in self.ask(f"query?query={quote(query)}")["result"]]

    def alerts(self) -> dict[str, str]:
        """The state of each of the mixin's rules; Prometheus has read all of them."""
        groups = [group for group in self.ask("rules")["groups"] if group["file"].endswith("rules.yml")]
        return {rule["name"]: rule["state"] for group in groups for rule in group["rules"]}

    def choices(self, selected: str, label: str) -> list[str]:
        """The values that a label has among series."""
        return list(self.ask(f"label/{label}/values?match[]={quote(selected)}"))

    def names(self) -> set[str]:
        """All metrics that were scraped or recorded."""
        return set(self.ask("label/__name__/values"))


@pytest.fixture
def scraping(pytestconfig: pytest.Config) -> Iterator[Callable[[Jobs], Scraping]]:
    servers: list[Scraping] = []

    def start(jobs: Jobs) -> Scraping:
        server = Scraping(pytestconfig.stash[FOLDER], f"own-prometheus-{uuid.uuid4().hex[:8]}")
        servers.append(server)
        server.jobs = jobs
        server.start()
        return server

    yield start
    for server in servers:
        server.remove()


def leave_lying(fleet: Fleet) -> None:
    """Put tasks into a queue that nobody consumes."""
    with make_app(fleet.place, "threads") as app:
        for _ in range(BACKLOG):
            app.send_task("fleet.add", (1,), queue="backlog")


def seen(prometheus: Scraping, job: str) -> float:
    """How many failures of the fleet a job has scraped."""
    return sum(prometheus.values(f'celery_task_failed_total{{job="{job}",name="fleet.fail"}}'))


def absent(prometheus: Scraping) -> set[str]:
    """The metrics that our dashboards and rules name, and Prometheus does not have."""
    return queries.named() - prometheus.names()


def without_data(prometheus: Scraping) -> set[str]:
    """Which of our queries find nothing, by where they stand. Raises ``OSError`` where Prometheus cannot read one."""
    asked = queries.of_dashboards(RATE) | queries.rules("record") | queries.of_alerts()
    return {where for where, query in asked.items() if not prometheus.values(query)}


def tables(folder: Path) -> dict[str, Any]:
    """What makes an installation of processes that run checks, beside the cluster."""
    place = {"reach": "private", "allow": [{"network": "127.0.0.1/32"}]}
    return {
        "bus": {"broker": f"filesystem://{folder}/bus"},
        "location": dict.fromkeys(PLACES, place),
        "rule": {"backlog": {"metric": "celery_queue_length", "above": 10 * BACKLOG}},
    }


def checks(shop: Shop) -> dict[str, dict[str, Any]]:
    """Two checks, each from everywhere, as often as may be."""
    check = {"url": shop.url, "ca": str(shop.ca), "family": "4", "every": "5s", "timeout": "1s", "attempts": 1}
    return dict.fromkeys(("shop", "stock"), check)


@pytest.mark.redis
@pytest.mark.prometheus
def test_the_mixin_and_our_dashboards_have_data_after_two_waves_and_the_mixins_alerts_become_pending(
    redis_url: str, tmp_path: Path, scraping: Callable[[Jobs], Scraping]
) -> None:
    with (
        https_shop(tmp_path / "certificates") as shop,
        watching(tmp_path, redis_url, checks=checks(shop), tables=tables(tmp_path)) as nightowl,
        running(redis_url, POOLS) as fleet,
    ):
        nightowl.watcher()
        nightowl.web()
        nightowl.role("director")
        nightowl.role("actor", *(part for place in PLACES for part in ("--location", place)))
        watcher = nightowl.ports["watcher"]
        prometheus = scraping(
            {
                mixin.JOB: (OF_CLUSTER, [watcher]),
                mixin.OLDER_JOB: (OF_CLUSTER, [nightowl.port]),
                queries.CELERY_JOB: ("/metrics", [watcher]),
                queries.OWN_JOB: ("/metrics", [nightowl.port]),
                queries.ROLES_JOB: ("/metrics", [nightowl.ports["director"], nightowl.ports["actor"]]),
            }
        )
        nightowl.wait()
        nightowl.until(lambda: all(queue(pool) in str(nightowl.api("/workers")) for pool in POOLS), "no workers")
        for number in (1, 2):
            wave(fleet, POOLS[0])
            for job in (mixin.JOB, mixin.OLDER_JOB, queries.CELERY_JOB):
                nightowl.until(
                    lambda job=job, count=3 * number: seen(prometheus, job) == count, f"{job} was not scraped"
                )
        empty = [query for query in mixin.queries() if not prometheus.values(query)]
        assert empty == []
        for event in mixin.EVENTS:
            assert prometheus.values(f'sum(increase(celery_task_{event}_total{{job="{mixin.JOB}"}}[6h])) > 0'), event
        nightowl.until(lambda: absent(prometheus) == queries.ABSENT.keys(), lambda: absent(prometheus))
        nightowl.until(
            lambda: without_data(prometheus) == queries.WITHOUT_DATA.keys(), lambda: without_data(prometheus)
        )
        assert [choice for choice in queries.of_variables() if not prometheus.choices(*choice)] == []
        leave_lying(fleet)
        os.kill(fleet.pids[1], signal.SIGTERM)
        wanted = dict.fromkeys(("CeleryTaskHighFailRate", "CeleryHighQueueLength", "CeleryWorkerDown"), "pending")
        nightowl.until(lambda: prometheus.alerts() == wanted, prometheus.alerts)
