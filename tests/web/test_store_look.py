"""A store that is frozen, so that it keeps its connections and says nothing, holds nobody up for long."""

import os
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import httpx
import pytest
from msgspec.structs import replace

from nightowl.adapters.store_sql import open_store
from nightowl.core.errors import StoreUnavailable
from nightowl.roles.installation import Installation
from nightowl.roles.pulse import signs
from nightowl.roles.web import WebRole
from nightowl.web import store_look
from nightowl.web.app import make_app
from nightowl.web.serve import ServerThread
from nightowl.web.store_look import StoreLook
from nightowl.wire.checks import for_urls


@pytest.fixture
def frozen_store(own_mariadb):
    """A store, and what freezes and thaws its server."""
    server = own_mariadb()
    store = open_store(server.fresh_url(), migrate=True)
    process = int((server.folder / "pid").read_text())
    yield store, lambda: os.kill(process, signal.SIGSTOP), lambda: os.kill(process, signal.SIGCONT)
    os.kill(process, signal.SIGCONT)
    store.close()


@pytest.mark.mariadb
def test_ready_tells_of_a_frozen_server_within_ten_seconds_and_of_its_return(world, frozen_store):
    store, freeze, thaw = frozen_store
    world.unreachable.append("The broker cannot be reached.")
    told = threading.Event()
    app = make_app(replace(world.handlers, store=store))
    server = ServerThread(app, "127.0.0.1", 0, ready=lambda _: told.set())
    server.start()
    assert told.wait(20)
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=10) as client:
        assert client.get("/ready").json()["problems"] == ["The broker cannot be reached."]
        freeze()
        answer = client.get("/ready")
        assert answer.status_code == 503
        silent, other = answer.json()["problems"]
        assert silent.startswith("the store does not answer: it was asked ")
        assert other == "The broker cannot be reached."
        began = time.monotonic()
        assert client.get("/ready").status_code == 503
        assert time.monotonic() - began < 3, "the patience that the question had is used up"
        world.unreachable.clear()
        thaw()
        deadline = time.monotonic() + 20
        while client.get("/ready").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    server.stop()


def test_all_who_ask_at_once_share_one_question(monkeypatch):
    monkeypatch.setattr(store_look, "PATIENCE", 0.2)
    go_on, asked = threading.Event(), []

    def ping():
        asked.append(1)
        assert go_on.wait(20)
        raise StoreUnavailable("the store went away")

    look = StoreLook(SimpleNamespace(ping=ping))
    with ThreadPoolExecutor(8) as pool:
        told = [each.result() for each in [pool.submit(look.fault) for _ in range(8)]]
    assert all(each.startswith("the store does not answer") for each in told)
    assert asked == [1]
    monkeypatch.setattr(store_look, "PATIENCE", 20)
    go_on.set()
    assert look.fault() == "the store went away"


def test_a_mistake_of_ours_is_raised():
    def ping():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        StoreLook(SimpleNamespace(ping=ping)).fault()


def test_the_health_of_the_web_tells_of_a_store_that_keeps_silent(tmp_path, monkeypatch):
    monkeypatch.setattr(store_look, "PATIENCE", 0.2)
    monkeypatch.setattr("nightowl.roles.web.BEAT", 0.05)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    installation = Installation(fixed=for_urls(["https://shop.example/"]), listen=("127.0.0.1", 0))
    role = WebRole(installation, faults=lambda: ["the broker is away"], ready=lambda _: None)
    go_on, stop = threading.Event(), threading.Event()
    monkeypatch.setattr(installation.store, "ping", go_on.wait)
    running = threading.Thread(target=role.run, args=(stop,))
    running.start()
    deadline = time.monotonic() + 20
    while not (found := signs("web")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert re.fullmatch(r"the store does not answer: .*; the broker is away", found[0].fault)
    stop.set()
    running.join(20)
    assert not running.is_alive(), "it ends though the store still keeps silent"
    go_on.set()
    installation.store.close()
    installation.tasks.close()
