"""Private servers for tests, and a clear word on what was left out.

Each server starts when a test first asks for it, once per run and for all of its processes, and ends with the run.
A test whose program is missing is skipped; with ``CI=true`` it fails. What makes the run as a whole quick, and is no
matter of any single test, stands in ``tests.pace``.
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import pace
from tests.servers.authority import TlsBroker
from tests.servers.graphite_server import Graphite
from tests.servers.programs import NEEDS, missing
from tests.servers.prometheus_server import Prometheus
from tests.servers.rabbitmq_server import RabbitMQ
from tests.servers.redis_server import Redis
from tests.servers.run import KINDS, Run, shared
from tests.servers.server import Server

# how long an example takes says more of the machine that all tests share than of what is tested
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

RUN = pytest.StashKey[Run]()
FOLDER = pytest.StashKey[Path]()

OwnServer = Callable[[], Server]


def pytest_configure(config: pytest.Config) -> None:
    """Open the run in its first process; xdist's workers are told the folder."""
    if hasattr(config, "workerinput"):
        config.stash[FOLDER] = Path(config.workerinput["servers"])
    else:
        pace.keep_files_in_memory()
        run = config.stash[RUN] = Run()
        config.stash[FOLDER] = run.folder


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker the run's folder."""
    node.workerinput["servers"] = str(node.config.stash[FOLDER])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run twice as many tests at once as there are cores: most of them wait for something."""
    return 2 * len(os.sched_getaffinity(0))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give tests that watch programs at work a second try; where workers share the run, let long ones begin first."""
    for item in filter(pace.is_watched_live, items):
        item.add_marker(pytest.mark.flaky(reruns=1))
    if hasattr(config, "workerinput"):
        items[:] = pace.long_ones_first(items, config.workerinput["workercount"])


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the run's servers, whatever happened before."""
    if run := config.stash.get(RUN, None):
        run.end()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Hold a marked test back where its program is missing."""
    for marker in NEEDS:
        if item.get_closest_marker(marker):
            require(marker)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many tests were left out, and why, and which were run a second time."""
    if again := terminalreporter.stats.get("rerun", []):
        terminalreporter.section("run a second time, as they failed at first")
    for report in again:
        terminalreporter.line(f"{report.nodeid}: {str(report.longrepr).strip().splitlines()[-1]}")
    reasons = Counter(report.longrepr[2] for report in terminalreporter.stats.get("skipped", []))
    if reasons:
        terminalreporter.section("left out")
    for reason, count in sorted(reasons.items()):
        terminalreporter.line(f"{count} left out: {reason.removeprefix('Skipped: ')}")


def require(*markers: str) -> None:
    """Skip the test where what tests with these markers need is missing; with ``CI=true`` it fails."""
    reason = "; ".join(filter(None, map(missing, markers)))
    if reason and os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    if reason:
        pytest.skip(reason)


def fresh_url(config: pytest.Config, kind: str) -> Iterator[str]:
    require(kind)
    server = SHARED.get(kind) or SHARED.setdefault(kind, shared(config.stash[FOLDER], kind))
    url = server.fresh_url()
    yield url
    server.drop(url)


def _shared_broker(kind: str) -> Redis | RabbitMQ:
    server = SHARED[kind]
    assert isinstance(server, Redis | RabbitMQ)
    return server


def _tls(url: str, kind: str) -> TlsBroker:
    server = _shared_broker(kind)
    return TlsBroker(server.over_tls(url), server.certificates)


SHARED: dict[str, Server] = {}
"""This process's view of the run's servers."""


@pytest.fixture
def redis_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """``redis://127.0.0.1:PORT/N``: an empty database of the run's Redis."""
    yield from fresh_url(pytestconfig, "redis")


@pytest.fixture
def rabbitmq_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """``amqp://guest:guest@127.0.0.1:PORT/VHOST``: a new virtual host of the run's RabbitMQ."""
    yield from fresh_url(pytestconfig, "rabbitmq")


@pytest.fixture
def redis_tls(redis_url: str) -> TlsBroker:
    """The same Redis at its port for TLS, where clients must show a certificate of its authority."""
    return _tls(redis_url, "redis")


@pytest.fixture
def rabbitmq_tls(rabbitmq_url: str) -> TlsBroker:
    """The same RabbitMQ at its port for TLS, where clients must show a certificate of its authority."""
    return _tls(rabbitmq_url, "rabbitmq")


@pytest.fixture
def redis_administrator(redis_url: str) -> dict[str, str]:
    """The environment in which redis-cli is about the run's Redis."""
    return _shared_broker("redis").administrator()


@pytest.fixture
def rabbitmq_administrator(rabbitmq_url: str) -> dict[str, str]:
    """The environment in which rabbitmqctl is about the run's RabbitMQ."""
    return _shared_broker("rabbitmq").administrator()


@pytest.fixture
def mariadb_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """``mysql+pymysql://owl:owl@127.0.0.1:PORT/DATABASE``: an empty database of the run's MariaDB."""
    yield from fresh_url(pytestconfig, "mariadb")


@pytest.fixture
def postgresql_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """``postgresql+psycopg://owl:owl@127.0.0.1:PORT/DATABASE``: an empty database of the run's PostgreSQL."""
    yield from fresh_url(pytestconfig, "postgresql")


@pytest.fixture
def alertmanager_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """``http://127.0.0.1:PORT``: the run's Alertmanager."""
    yield from fresh_url(pytestconfig, "alertmanager")


@pytest.fixture
def graphite(pytestconfig: pytest.Config) -> Graphite:
    """The run's Graphite, which tests share: take paths of your own."""
    require("graphite")
    server = SHARED.get("graphite") or SHARED.setdefault("graphite", shared(pytestconfig.stash[FOLDER], "graphite"))
    assert isinstance(server, Graphite)
    return server


@pytest.fixture
def prometheus_with(pytestconfig: pytest.Config) -> Iterator[Callable[[Iterable[str]], Prometheus]]:
    """Start a Prometheus for this test alone that has these samples (lines of OpenMetrics with times)."""
    require("prometheus")
    servers: list[Prometheus] = []

    def start(lines: Iterable[str]) -> Prometheus:
        server = Prometheus(pytestconfig.stash[FOLDER], f"own-prometheus-{uuid.uuid4().hex[:8]}")
        servers.append(server)
        server.load(lines)
        server.start()
        return server

    yield start
    for server in servers:
        server.remove()


def _own(config: pytest.Config, kind: str) -> Iterator[OwnServer]:
    require(kind)
    servers: list[Server] = []

    def start() -> Server:
        server = KINDS[kind](config.stash[FOLDER], f"own-{kind}-{uuid.uuid4().hex[:8]}")
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.remove()


@pytest.fixture
def own_redis(pytestconfig: pytest.Config) -> Iterator[OwnServer]:
    """Start a Redis for this test alone, which may ``kill()``, ``stop()`` and ``start()`` it."""
    yield from _own(pytestconfig, "redis")


@pytest.fixture
def own_rabbitmq(pytestconfig: pytest.Config) -> Iterator[OwnServer]:
    """Start a RabbitMQ for this test alone, which may ``kill()``, ``stop()`` and ``start()`` it."""
    yield from _own(pytestconfig, "rabbitmq")


@pytest.fixture
def own_mariadb(pytestconfig: pytest.Config) -> Iterator[OwnServer]:
    """Start a MariaDB for this test alone, which may ``kill()``, ``stop()`` and ``start()`` it."""
    yield from _own(pytestconfig, "mariadb")


@pytest.fixture
def own_postgresql(pytestconfig: pytest.Config) -> Iterator[OwnServer]:
    """Start a PostgreSQL for this test alone, which may ``kill()``, ``stop()`` and ``start()`` it."""
    yield from _own(pytestconfig, "postgresql")
