"""Locations that can be wrong, with a director, real actor processes, and targets that are switched off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import tomli_w

from nightowl.adapters.store_sql import open_store
from nightowl.core.values import CheckState, Incident, State
from nightowl.ports import Store
from tests.end_to_end.shop_server import ShopServer
from tests.services.bus_parts import wait_for

PATIENCE = 90.0


class Fleet:
    """A director and actors as processes over a folder as broker, with a shop as target and a line as control."""

    def __init__(self, folder: Path, shop: int, line: int) -> None:
        self.folder = folder
        self._url = f"sqlite:///{folder / 'owl.db'}"
        check = {"every": "6s", "timeout": "1s", "attempts": 1, "down_after": 1}
        open_here = {"reach": "private", "allow": [{"network": "127.0.0.0/8"}]}
        tree: dict[str, Any] = {
            "bus": {"broker": f"filesystem://{folder}/bus"},
            "store": {"url": self._url},
            "location": {
                "london": open_here,
                "tokyo": open_here | {"control": [f"http://127.0.0.1:{line}/"]},
            },
            "check": {
                "shop": check | {"url": f"http://127.0.0.1:{shop}/"},
                "far": check | {"url": "tcp://127.0.0.1:1", "locations": ["tokyo"]},
            },
        }
        (folder / "nightowl.toml").write_text(tomli_w.dumps(tree))

    def start(self, stack: ExitStack, *command: str) -> subprocess.Popen[bytes]:
        """Start a role; it is killed with all its children at the end."""
        line = [sys.executable, "-m", "nightowl", *command, "-c", str(self.folder / "nightowl.toml")]
        environment = os.environ | {"STATE_DIRECTORY": str(self.folder)}
        log = stack.enter_context((self.folder / "log").open("ab"))
        process = subprocess.Popen(line, env=environment, stdout=log, stderr=log, start_new_session=True)
        stack.callback(_kill, process)
        return process

    @contextmanager
    def store(self) -> Iterator[Store]:
        store = open_store(self._url, migrate=True)  # the director may not have got so far
        try:
            yield store
        finally:
            store.close()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def state(store: Store, check: str) -> CheckState | None:
    with store.read() as unit:
        return unit.rounds.state(check)


def verdict(store: Store, check: str) -> State | None:
    found = state(store, check)
    return found.last.state if found and found.last else None


def incidents(store: Store) -> dict[str, Incident]:
    with store.read() as unit:
        found, _ = unit.incidents.page(open_only=False, subject="", offset=0, limit=100)
    return {each.subject: each for each in found}


def is_open(store: Store, subject: str) -> bool:
    found = incidents(store).get(subject)
    return found is not None and found.open


def test_a_location_that_is_cut_off_blames_no_target_and_one_that_stops_says_goodbye(tmp_path: Path) -> None:
    with ShopServer(delay=0.0) as shop, ExitStack() as stack:
        line = ShopServer(delay=0.0)
        line.__enter__()
        fleet = Fleet(tmp_path, shop.port, line.port)
        fleet.start(stack, "director")
        fleet.start(stack, "actor", "--location", "tokyo")
        london = fleet.start(stack, "actor", "--location", "london")
        wait_for((tmp_path / "owl.db").exists, PATIENCE, lambda: fleet.log)
        with fleet.store() as store:
            wait_for(lambda: is_open(store, "far"), PATIENCE, lambda: fleet.log)
            line.__exit__()
            wait_for(lambda: is_open(store, "location/tokyo"), PATIENCE, lambda: fleet.log)
            wait_for(lambda: verdict(store, "far") is State.UNKNOWN, PATIENCE, lambda: fleet.log)
            found = incidents(store)["location/tokyo"]
            assert "cannot reach its own control targets" in found.summary
            assert verdict(store, "shop") is State.UP
            london.send_signal(signal.SIGTERM)
            assert london.wait(60) == 0
            wait_for(lambda: actors(store) == {"tokyo"}, PATIENCE, lambda: fleet.log)
            assert set(incidents(store)) == {"far", "location/tokyo"}
    assert "Traceback" not in fleet.log


def test_a_frozen_actor_is_named_and_its_checks_finish_elsewhere(tmp_path: Path) -> None:
    with ShopServer(delay=0.0) as shop, ExitStack() as stack:
        fleet = Fleet(tmp_path, shop.port, shop.port)
        first = fleet.start(stack, "actor", "--location", "london", "--location", "tokyo")
        fleet.start(stack, "actor", "--location", "london", "--location", "tokyo")
        fleet.start(stack, "director")
        wait_for((tmp_path / "owl.db").exists, PATIENCE, lambda: fleet.log)
        with fleet.store() as store:

            def names() -> set[str]:
                with store.read() as unit:
                    return {each.name for each in unit.actors.all()}

            wait_for(lambda: len(names()) == 2 and verdict(store, "shop") is State.UP, PATIENCE, lambda: fleet.log)
            os.killpg(first.pid, signal.SIGSTOP)
            named = [f"actor/london/{name}" for name in names()]
            wait_for(lambda: any(is_open(store, subject) for subject in named), PATIENCE, lambda: fleet.log)
            (subject,) = [each for each in named if each in incidents(store)]
            frozen = state(store, "shop")
            assert frozen is not None
            assert frozen.last is not None
            wait_for(lambda: newer(store, frozen), PATIENCE, lambda: fleet.log)
            assert verdict(store, "shop") is State.UP
            os.killpg(first.pid, signal.SIGCONT)
            wait_for(lambda: not is_open(store, subject), PATIENCE, lambda: fleet.log)
            assert "shop" not in incidents(store)
    assert "Traceback" not in fleet.log


def actors(store: Store) -> set[str]:
    """The locations where somebody is."""
    with store.read() as unit:
        return {each.location for each in unit.actors.all()}


def newer(store: Store, than: CheckState) -> bool:
    now = state(store, "shop")
    return bool(now and now.last and than.last and now.last.due > than.last.due and now.last.state is State.UP)
