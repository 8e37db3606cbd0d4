"""The whole system over each broker: two actors at three locations, one of them killed in the middle of a batch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

import tomli_w

from nightowl.adapters.store_sql import open_store
from nightowl.core.values import State, Verdict
from nightowl.ports import Store
from tests.end_to_end.shop_server import ShopServer

CHECKS = 200
LOCATIONS = ("london", "new-york", "tokyo")
NIGHTOWL = [sys.executable, "-m", "nightowl"]


def configuration(folder: Path, broker: str, port: int) -> Path:
    """Every tenth check looks where nothing listens; the others take half a second an attempt."""
    checks = {
        f"check-{n:03}": {"url": f"http://127.0.0.1:{1 if n % 10 == 0 else port}/{n}", "use": "slow"}
        for n in range(CHECKS)
    }
    table = {
        "store": {"url": f"sqlite:///{folder}/nightowl.db"},
        "bus": {"broker": broker},
        "location": {name: {"reach": "private", "allow": [{"network": "127.0.0.0/8"}]} for name in LOCATIONS},
        "template": {"slow": {"every": "10m", "timeout": "5s", "attempts": 2, "paused": False}},
        "check": checks,
    }
    path = folder / "nightowl.toml"
    path.write_text(tomli_w.dumps(table))
    return path


@contextmanager
def process(
    folder: Path, *arguments: str, environment: Mapping[str, str] = MappingProxyType({})
) -> Iterator[subprocess.Popen[bytes]]:
    """A role in a process group of its own, which is killed at the end."""
    environment = os.environ | {"STATE_DIRECTORY": str(folder)} | environment
    with (folder / f"{arguments[0]}.log").open("ab") as log:
        started = subprocess.Popen(
            [*NIGHTOWL, *arguments], env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield started
        finally:
            kill(started)


def kill(started: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(started.pid, signal.SIGKILL)
    started.wait()


def open_files(started: subprocess.Popen[bytes]) -> int:
    """How many files the processes of a group have open: an actor has a socket for each attempt under way."""
    counts = [0]
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getpgid(int(folder.name)) == started.pid:
                counts.append(sum(1 for _ in (folder / "fd").iterdir()))
    return max(counts)


def wait_for(condition: Callable[[], bool], seconds: float, what: Callable[[], str]) -> None:
    """Poll a condition; the bound is generous, for it only ends a test that has failed."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.05)


def run_all_now(store: Store) -> None:
    with store.transaction() as unit:
        for n in range(CHECKS):
            unit.feed.add("request", f"run:check-{n:03}")


def first_rounds(store: Store) -> dict[str, Verdict]:
    with store.read() as unit:
        return {state.check: state.last for state in unit.rounds.states() if state.last is not None}


def test_the_checks_of_a_killed_actor_finish_elsewhere_within_the_round(tmp_path: Path, broker: str) -> None:
    with ShopServer(delay=0.5) as shop, ExitStack() as stack:
        path = str(configuration(tmp_path, broker, shop.port))
        store = open_store(f"sqlite:///{tmp_path}/nightowl.db", migrate=True)
        stack.callback(store.close)
        where = [part for name in LOCATIONS for part in ("--location", name)]
        actors = [stack.enter_context(process(tmp_path, "actor", "-c", path, *where)) for _ in range(2)]
        stack.enter_context(process(tmp_path, "director", "-c", path))
        wait_for(lambda: len(first_rounds(store)) == CHECKS, 60, lambda: logs(tmp_path))

        before = sum(shop.hits.values())
        done_before = {name: verdict.due for name, verdict in first_rounds(store).items()}
        run_all_now(store)
        wait_for(lambda: sum(shop.hits.values()) > before + 100, 30, lambda: logs(tmp_path))
        kill(max(actors, key=open_files))

        def rerun() -> dict[str, Verdict]:
            return {name: verdict for name, verdict in first_rounds(store).items() if verdict.due > done_before[name]}

        wait_for(lambda: len(rerun()) == CHECKS, 60, lambda: f"{len(rerun())} closed\n{logs(tmp_path)}")
        for name, verdict in rerun().items():
            expected = State.DOWN if int(name[-3:]) % 10 == 0 else State.UP
            assert verdict.state is expected, (name, verdict)
            assert all(place.voted for place in verdict.places), (name, verdict)
        assert b"Traceback" not in (tmp_path / "actor.log").read_bytes(), logs(tmp_path)


def logs(folder: Path) -> str:
    return "\n".join(f"{path.name}: {path.read_text()[-3000:]}" for path in folder.glob("*.log"))
