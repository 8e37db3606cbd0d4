"""A real Chromium before the real server, with the scene of the web tests in its store."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, sync_playwright

from nightowl.core.values import User
from nightowl.testing.store import memory_store, memory_tasks
from nightowl.web.app import make_app
from nightowl.web.bearer import digest
from nightowl.web.serve import ServerThread

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _load(name: str) -> ModuleType:
    """A module of the web tests; test folders are not packages."""
    file = Path(__file__).parents[1] / "web" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"browser_{name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


web = _load("conftest")


class RealClock:
    """This machine's time."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


class Shown:
    """A world and the address where it is shown."""

    def __init__(self, world: Any, base: str) -> None:
        self.world = world
        self.base = base
        self.store = world.store
        self.beat = web.scene.beat

    def incident(self, check: str) -> str:
        with self.store.read() as unit:
            return f"/incidents/{web.scene.open_incident(unit, check).id}"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not shutil.which(CHROMIUM):
        if os.environ.get("CI") == "true":
            pytest.fail(f"{CHROMIUM} is missing")
        pytest.skip(f"{CHROMIUM} is missing")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def _show(*, full: bool, **settings: Any) -> Iterator[Shown]:
    store, tasks = memory_store(), memory_tasks()
    world = web.World(store, tasks)
    changed = replace(world.handlers.settings, **settings)
    world.handlers = replace(world.handlers, clock=RealClock(), settings=changed)
    if full:
        web.scene.fill(store, time.time())
        world.rules |= web.rule_scene.RULES
        web.rule_scene.fill(store, time.time())
    else:
        world.channels.clear()
    server = ServerThread(make_app(world.handlers), "127.0.0.1", 0)
    server.start()
    yield Shown(world, f"http://127.0.0.1:{server.port}")
    server.stop()
    store.close()
    tasks.close()


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    """The scene, served."""
    yield from _show(full=True)


@pytest.fixture(scope="module")
def held() -> Iterator[Shown]:
    """The scene with what is held back, served."""
    for shown in _show(full=True):
        shown.world.telling = web.quiet_scene.TELLING
        web.quiet_scene.fill(shown.store, time.time())
        yield shown


@pytest.fixture(scope="module")
def watched() -> Iterator[Shown]:
    """A cluster that has been watched for an hour, served."""
    for shown in _show(full=False):
        shown.world.clusters |= web.cluster_scene.CLUSTERS
        web.cluster_scene.fill(shown.store, shown.world.tasks, time.time())
        shown.world.fleet.workers += ["celery@web-1", "images@web/2"]
        shown.world.answers |= web.cluster_scene.ANSWERS
        yield shown


@pytest.fixture(scope="module")
def bare() -> Iterator[Shown]:
    """An empty installation, served."""
    yield from _show(full=False)


@pytest.fixture(scope="module")
def people() -> Iterator[Shown]:
    """The scene where people must sign in: anna, a viewer, and ada, an admin, have sessions of their own names."""
    for shown in _show(full=True, is_loopback=False):
        with shown.store.transaction() as unit:
            for name, role in (("anna", "viewer"), ("ada", "admin")):
                unit.users.put(User(name=name, role=role, password_hash="$argon2id$none"))
                unit.users.open_session(digest(name), name, time.time() + 3600)
        yield shown


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A tab that fails its test when a page complains."""
    context = chromium.new_context(viewport={"width": 1280, "height": 860})
    complaints: list[str] = []
    tab = context.new_page()
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield tab
    context.close()
    assert not [text for text in complaints if "status of 4" not in text]
