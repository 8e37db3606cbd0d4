"""The whole system in one process over the embedded broker, one of two actors lost in the middle of a batch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import tomli_w

from nightowl.adapters.probes import ThreadEngine
from nightowl.config import Configuration
from nightowl.core.values import Attempt, Policy, State, Target, Verdict
from nightowl.ports import Store
from nightowl.roles.director import DirectorRole
from nightowl.roles.installation import Installation
from nightowl.wire.bus import actors
from nightowl.wire.engine import engine
from tests.end_to_end.shop_server import ShopServer
from tests.services.bus_parts import wait_for

CHECKS = 200
LOCATIONS = ("london", "new-york", "tokyo")

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Celery leaves sockets open


class Mortal:
    """An engine that, once dead, never calls back."""

    def __init__(self, living: ThreadEngine) -> None:
        self._living = living
        self.dead = False
        self.later = living.later
        self.start = living.start
        self.stop = living.stop

    def submit(self, target: Target, policy: Policy, timeout: float, done: Callable[[Attempt], None]) -> None:
        self._living.submit(target, policy, timeout, lambda attempt: None if self.dead else done(attempt))


class Machine:
    """An actor at all locations, as if on a machine of its own."""

    def __init__(self, configuration: Configuration, name: str) -> None:
        self._engine = Mortal(engine())
        (self._actor,) = actors(lambda: configuration, LOCATIONS, self._engine, name=name, pool="threads")
        self._thread = threading.Thread(target=self._actor.run, daemon=True)
        self._engine.start()
        self._thread.start()

    @property
    def held(self) -> int:
        """Jobs under way."""
        return self._actor._reporter.held

    def die(self) -> None:
        """Fall silent, as a machine does whose power is cut."""
        self._engine.dead = True
        self._actor._reporter._stopping.set()
        assert self._actor._worker is not None
        self._actor._worker.consumer.end()

    def end(self) -> None:
        if not self._engine.dead:
            self._actor.stop()
        self._engine.stop()
        self._thread.join(10)


@contextmanager
def running(role: DirectorRole) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=role.run, args=(stop,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)


def write(folder: Path, port: int) -> Path:
    """Every tenth check looks where nothing listens; the others take half a second an attempt."""
    checks = {
        f"check-{n:03}": {"url": f"http://127.0.0.1:{1 if n % 10 == 0 else port}/{n}", "use": "slow"}
        for n in range(CHECKS)
    }
    table = {
        "store": {"url": f"sqlite:///{folder}/nightowl.db"},
        "location": {name: {"reach": "private", "allow": [{"network": "127.0.0.0/8"}]} for name in LOCATIONS},
        "template": {"slow": {"every": "10m", "timeout": "5s", "attempts": 2}},
        "check": checks,
    }
    path = folder / "nightowl.toml"
    path.write_text(tomli_w.dumps(table))
    return path


def verdicts(store: Store) -> dict[str, Verdict]:
    with store.read() as unit:
        return {state.check: state.last for state in unit.rounds.states() if state.last is not None}


def test_the_checks_of_a_lost_actor_finish_at_the_other_within_the_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    with ShopServer(delay=0.5) as shop, ExitStack() as stack:
        installation = Installation(str(write(tmp_path, shop.port)))
        installation.define()
        store = installation.store
        stack.callback(store.close)
        machines = [Machine(installation.current(), name) for name in ("alice", "bob")]
        for machine in machines:
            stack.callback(machine.end)
        stack.enter_context(running(DirectorRole(installation)))
        wait_for(lambda: len(verdicts(store)) == CHECKS, 90, lambda: f"{len(verdicts(store))} first rounds closed")

        first = verdicts(store)
        hits = shop.hits.total()
        with store.transaction() as unit:
            for name in first:
                unit.feed.add("request", f"run:{name}")
        wait_for(lambda: shop.hits.total() > hits + 100)
        max(machines, key=lambda machine: machine.held).die()

        def again() -> dict[str, Verdict]:
            return {name: verdict for name, verdict in verdicts(store).items() if verdict.due > first[name].due}

        wait_for(lambda: len(again()) == CHECKS, 90, lambda: f"{len(again())} second rounds closed")
        for name, verdict in again().items():
            assert verdict.state is (State.DOWN if int(name[-3:]) % 10 == 0 else State.UP), verdict
            assert all(place.voted for place in verdict.places), verdict
