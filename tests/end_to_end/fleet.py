"""A whole fleet as real processes over a broker and a database that can be killed and come back with their data."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import tomli_w

from nightowl.adapters.store_sql import open_store
from nightowl.config.keys import new_key
from nightowl.ports import Store
from tests.end_to_end.receivers import Receivers
from tests.end_to_end.targets import Target, Targets
from tests.servers.mariadb_server import MariaDB
from tests.servers.postgresql_server import PostgreSQL
from tests.servers.rabbitmq_server import RabbitMQ
from tests.servers.redis_server import Redis
from tests.servers.server import Server, free_ports

ROOT = Path(__file__).parents[2]
LOCATIONS = ("london", "tokyo")
STALE = 40.0
"""Seconds for which a location's word on a target counts for the rule."""

RULE = {
    "metric": "check_up",
    "where": {"location": LOCATIONS[0]},
    "equals": 0,
    "stale": f"{STALE:g}s",
    "severity": "critical",
}
"""Of every fleet: a target that one location finds down."""


class DurablePostgreSQL(PostgreSQL):
    """PostgreSQL that has handed to the kernel what it has committed, as it does unless told otherwise."""

    def command(self) -> list[str]:
        """The last setting wins."""
        return [*super().command(), "-c", "synchronous_commit=on"]


class DurableMariaDB(MariaDB):
    """MariaDB that has handed to the kernel what it has committed."""

    def command(self) -> list[str]:
        """The last setting wins."""
        return [*super().command(), "--innodb-flush-log-at-trx-commit=2"]


SERVERS: dict[str, type[Server]] = {
    "redis": Redis,
    "rabbitmq": RabbitMQ,
    "postgresql": DurablePostgreSQL,
    "mariadb": DurableMariaDB,
}


@dataclass
class Member:
    """One process of the fleet with its own folder; ``wanted``: it is started again when it ends."""

    name: str
    folder: Path
    command: list[str]
    wanted: bool = False
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0

    @property
    def trigger(self) -> Path:
        """Where its failpoint is written."""
        return self.folder / "trigger"

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return self.process is not None and self.process.poll() is None


@dataclass
class Fleet:
    """The members by name. ``clocks``: those that are added have clocks that can be set."""

    folder: Path
    path: Path
    members: dict[str, Member] = field(default_factory=dict)
    clocks: bool = False

    @classmethod
    def over(
        cls, folder: Path, broker_url: str, store_url: str, targets: Targets, receivers: Receivers, **keys: Any
    ) -> Self:
        """Write the configuration of all targets; ``keys`` are further keys of each check."""
        path = folder / "nightowl.toml"
        path.write_text(tomli_w.dumps(configuration(broker_url, store_url, targets, receivers, keys)))
        open_store(store_url, migrate=True).close()
        return cls(folder, path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for member in self.members.values():
            self.kill(member.name)

    def add(self, name: str, role: str, *arguments: str, settings: dict[str, Any] | None = None) -> None:
        """Make a member and start it; ``settings`` are those of ``failpoints``."""
        folder = self.folder / name
        folder.mkdir()
        if self.clocks:
            (folder / "clock").write_text("0")
        if settings:
            (folder / "settings.json").write_text(json.dumps(settings))
        launcher = [sys.executable, "-m", "tests.end_to_end.failpoints", str(folder)]
        self.members[name] = Member(name, folder, [*launcher, role, "-c", str(self.path), *arguments])
        self.start(name)

    def start(self, name: str) -> None:
        """Start a member, in a process group of its own."""
        member = self.members[name]
        environment = os.environ | {"STATE_DIRECTORY": str(self.folder), "PYTHONPATH": str(ROOT)}
        with (member.folder / "log").open("ab") as log:
            member.process = subprocess.Popen(
                member.command, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        member.wanted = True
        member.started = time.monotonic()

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Kill all processes of a member at once, for good; or send them another signal, and let them live."""
        member = self.members[name]
        if number == signal.SIGKILL:
            member.wanted = False
        if member.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(member.process.pid, number)
            if number == signal.SIGKILL:
                member.process.wait()
                member.trigger.unlink(missing_ok=True)

    def tend(self) -> None:
        """Start again whoever ended, as a service manager does: no sooner than a second after the last start."""
        for member in self.members.values():
            if member.wanted and not member.runs and time.monotonic() - member.started > 1.0:
                self.start(member.name)

    def leader(self, store: Store) -> str:
        """The member that holds the lease (empty: none does now)."""
        with store.read() as unit:
            held = unit.leases.holder("director")
        if held is None or held[1] < 0:
            return ""
        pid = int(held[0].split(".")[-2])
        found = (each for each in self.members.values() if each.runs and each.process and each.process.pid == pid)
        return next((each.name for each in found), "")

    def logs(self, lines: int = 40) -> str:
        """The last lines of each member's log."""
        tails = {name: (each.folder / "log").read_text(errors="replace") for name, each in self.members.items()}
        return "\n".join(f"== {name}\n" + "\n".join(text.splitlines()[-lines:]) for name, text in tails.items())


def configuration(
    broker_url: str, store_url: str, targets: Targets, receivers: Receivers, keys: dict[str, Any]
) -> dict[str, Any]:
    """The table of a ``nightowl.toml``."""
    return {
        "server": {"listen": f"127.0.0.1:{free_ports(1)[0]}"},
        "store": {"url": store_url},
        "bus": {"broker": broker_url},
        "location": {name: _location() for name in LOCATIONS},
        "template": {"common": {"timeout": "2s", "attempts": 1, "expect": {"body": "ok"}} | keys},
        "check": {each.name: _check(each, targets.port) for each in targets.all.values()},
        "rule": {"unwell": RULE},
        "channel": receivers.channels(),
        "route": {"all": {"to": list(receivers.channels())}},
    }


def _location() -> dict[str, Any]:
    return {"reach": "private", "allow": [{"network": "127.0.0.0/8"}], "key": new_key()}


def _check(target: Target, port: int) -> dict[str, Any]:
    return {"use": "common", "every": f"{target.every:g}s", "url": f"http://127.0.0.1:{port}/{target.name}"}


def everybody(fleet: Fleet, *, directors: int = 2, actors: int = 2, settings: dict[str, Any] | None = None) -> None:
    """Add directors, actors at every location, a notifier and the web."""
    for number in range(1, directors + 1):
        fleet.add(f"director-{number}", "director", settings=settings)
    for location in LOCATIONS:
        for number in range(1, actors + 1):
            fleet.add(f"actor-{location}-{number}", "actor", "--location", location)
    fleet.add("notifier", "notifier", settings=settings)
    fleet.add("web", "web")


def wait_for(condition: Callable[[], bool], seconds: float, what: Callable[[], str]) -> None:
    """Poll a condition; the bound is generous, for it only ends a run that has failed."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.1)


def up(fleet: Fleet, store: Store, names: Iterable[str]) -> bool:
    """Whether every check has had a verdict."""
    fleet.tend()
    with store.read() as unit:
        return set(names) <= {state.check for state in unit.rounds.states() if state.last is not None}
