"""The real application over a store in memory that is filled with a scene."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from nightowl.config import check_from_spec, rule_from_spec, rule_to_toml, spec_to_toml
from nightowl.config.units import parse_duration
from nightowl.core.cluster.settings import ClusterSettings, FlowerSettings
from nightowl.core.errors import DeliveryFailed, NotFound
from nightowl.core.rule import Rule
from nightowl.core.strategies import BUILT_IN
from nightowl.core.telling import Telling
from nightowl.core.values import Check, Route
from nightowl.flows import notify
from nightowl.flows.control import Remote
from nightowl.flows.where import where
from nightowl.ports import Store
from nightowl.ports.clusters import TaskStore
from nightowl.testing.store import Template
from nightowl.web.app import make_app
from nightowl.web.handlers import Handlers, WebSettings, channel_use
from nightowl.wire.pushing import Pushing
from tests.flows.cluster_parts import Fleet, Results

with warnings.catch_warnings():
    # Starlette would rather have a successor of httpx, which nothing else here needs.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


scene = _load("scene")
rule_scene = _load("rule_scene")
quiet_scene = _load("quiet_scene")
cluster_scene = _load("cluster_scene")

NOW = 1_763_665_020.0
"""2025-11-20T18:57:00Z."""

ROUTES = (Route(name="shop", match={"team": "shop"}, to=("ops-mail", "ops-hook")),)

LOOPBACK = "http://127.0.0.1:5555"


class StillClock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


class World:
    """A store, a clock, and an application over them."""

    def __init__(self, store: Store, tasks: TaskStore) -> None:
        self.store = store
        self.tasks = tasks
        self.clusters: dict[str, ClusterSettings] = {}
        self.clock = StillClock()
        self.rules: dict[str, Rule] = {}
        self.channels: list[str] = ["ops-mail", "ops-hook"]
        self.problems: list[str] = []
        self.unreachable: list[str] = []
        self.tested: list[str] = []
        self.remark = ""
        self.refused = ""
        self.telling = Telling(routes=ROUTES)
        self.fleet = Fleet(lambda command, worker: self.answers.get(command.name, "ok"))
        self.answers: dict[str, Any] = {}
        self.ready: dict[str, int] = {}
        self.results: Results | None = None
        self.handlers = Handlers(
            store=store,
            clock=self.clock,
            settings=WebSettings(is_loopback=True, secret_key=b"k" * 32, listen_host="127.0.0.1"),
            check_from_spec=self._check,
            seal=lambda _name, spec: dict(spec),
            spec_to_toml=spec_to_toml,
            parse_duration=parse_duration,
            locations=lambda: scene.LOCATIONS,
            rules=lambda: self.rules,
            rule_from_spec=rule_from_spec,
            rule_to_toml=rule_to_toml,
            strategies=BUILT_IN,
            channels=lambda: [channel_use(name, "webhook", self.telling.routes) for name in self.channels],
            test_channel=self._test_channel,
            problems=lambda: [*self.problems, *self.unreachable],
            unreachable=lambda: self.unreachable,
            reload=lambda: self.refused,
            acknowledge=lambda one, by, lasts: notify.acknowledge(store, one, by, self.clock.now(), lasts),
            telling=lambda: self.telling,
            clusters=lambda: self.clusters,
            tasks=tasks,
            cluster_metrics=self._cluster_metrics,
            remote=self._remote,
            push=Pushing(lambda: self.clusters, tasks.inbox, self.clock),
            flower=FlowerSettings(),
            where=lambda asked: where(store, self.telling, self.rules.values(), parse_duration, asked),
        )

    def client(self, base_url: str = LOOPBACK, **settings: Any) -> TestClient:
        """A browser of its own, before an application with these settings; it does not follow redirects."""
        handlers = replace(self.handlers, settings=replace(self.handlers.settings, **settings))
        return TestClient(make_app(handlers), base_url=base_url, follow_redirects=False)

    def _cluster_metrics(self, name: str, *, flower: bool = False) -> str:
        if name and name not in self.clusters:
            raise NotFound(f"no cluster is called {name}")
        return f"# metrics of {name or 'all clusters'}{' with those of Flower' if flower else ''}\n"

    def _remote(self, name: str) -> Remote:
        if name not in self.clusters:
            raise NotFound(f"no cluster is called {name}")
        settings, parts = self.clusters[name], {"control": self.fleet, "results": self.results, "ready": self.ready.get}
        return Remote(name, self.store, self.tasks, self.clock, allowed=settings.control, **parts)

    def _check(self, name: str, spec: Mapping[str, Any]) -> Check:
        return check_from_spec(name, spec, locations=scene.LOCATIONS, clusters=("shop",))

    def _test_channel(self, name: str) -> str:
        if name not in self.channels:
            raise NotFound(f"no channel is called {name}")
        self.tested.append(name)
        if name == "ops-hook":
            raise DeliveryFailed("503 Service Unavailable")
        return self.remark


def _world(template: Template) -> Iterator[World]:
    store, tasks = template.copy()
    yield World(store, tasks)
    store.close()
    tasks.close()


def _fill_ruled(store: Store, _: TaskStore) -> None:
    scene.fill(store, NOW)
    rule_scene.fill(store, NOW)


EMPTY = Template(lambda _store, _tasks: None)
SCENE = Template(lambda store, _: scene.fill(store, NOW))
RULED = Template(_fill_ruled)
WATCHED = Template(lambda store, tasks: cluster_scene.fill(store, tasks, NOW))


@pytest.fixture
def empty() -> Iterator[World]:
    """Nothing configured yet."""
    yield from _world(EMPTY)


@pytest.fixture
def world() -> Iterator[World]:
    """The scene."""
    yield from _world(SCENE)


@pytest.fixture
def ruled() -> Iterator[World]:
    """The scene with rules that stand somewhere."""
    for world in _world(RULED):
        world.rules |= rule_scene.RULES
        yield world


@pytest.fixture
def watched() -> Iterator[World]:
    """A cluster that has been watched for an hour."""
    for world in _world(WATCHED):
        world.clusters |= cluster_scene.CLUSTERS
        world.fleet.workers += ["celery@web-1", "images@web/2"]
        yield world


@pytest.fixture
def client(world: World) -> TestClient:
    """A browser on this machine."""
    return world.client()


@pytest.fixture
def held(empty: World) -> World:
    """What is held back, and a check; the rest of the scene would only take time."""
    empty.telling = quiet_scene.TELLING
    with empty.store.transaction() as unit:
        scene.define(unit, "shop-front")
        scene.define(unit, "shop-search")
    quiet_scene.fill(empty.store, NOW)
    return empty
