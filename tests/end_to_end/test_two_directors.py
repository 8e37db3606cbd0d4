"""Two directors over PostgreSQL and RabbitMQ: one is frozen past its lease, the other goes on.

The broker must not keep reports for the frozen one, and the store must not take anything from it when it wakes up.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from math import inf
from pathlib import Path

import pytest

from nightowl.adapters.store_sql import open_store
from nightowl.ports import Store
from tests.end_to_end.fleet import LOCATIONS, Fleet, up, wait_for
from tests.end_to_end.judge import bursts, gather, incidents, rounds, truth
from tests.end_to_end.ledger import Ledger
from tests.end_to_end.receivers import Receivers
from tests.end_to_end.targets import Target, Targets

TARGETS = [Target("steady", 5.0), Target("flapping", 5.0, cycle=24.0, broken=12.0), Target("down", 5.0, 1e6, 1e6)]
UNGUARDED = {"nightowl.adapters.store_sql.leases:SqlLeases.confirm": None}
"""The check of the epoch taken out."""
PLACE = "freeze before transaction in _commit"
"""Where a tick has rounds to write: other transactions of a leader may turn out to have nothing."""


@pytest.fixture
def scene(tmp_path: Path, rabbitmq_url: str, postgresql_url: str) -> Iterator[tuple[Fleet, Store, Targets, Receivers]]:
    """A fleet that has begun, led by ``guarded``; ``unguarded`` stands by, and would not heed its epoch."""
    with ExitStack() as stack:
        targets = stack.enter_context(Targets(tmp_path, TARGETS))
        receivers = stack.enter_context(Receivers(tmp_path, 1, 0.0))
        fleet = stack.enter_context(
            Fleet.over(tmp_path, rabbitmq_url, postgresql_url, targets, receivers, down_after=1)
        )
        store = open_store(postgresql_url)
        stack.callback(store.close)
        fleet.add("guarded", "director")
        fleet.add("actor", "actor", *(part for name in LOCATIONS for part in ("--location", name)))
        fleet.add("notifier", "notifier")
        wait_for(lambda: up(fleet, store, targets.all), 60, fleet.logs)
        fleet.add("unguarded", "director", settings=UNGUARDED)
        yield fleet, store, targets, receivers


def freeze(fleet: Fleet, store: Store, leader: str, other: str) -> float:
    """Freeze the leader as it is about to write, and wait until the other decides all checks; when it was frozen."""
    wait_for(lambda: "starting:" in (fleet.members[other].folder / "log").read_text(), 60, fleet.logs)
    fleet.members[leader].trigger.write_text(PLACE)
    wait_for(lambda: not fleet.members[leader].trigger.exists(), 30, fleet.logs)
    frozen = time.time()
    wait_for(lambda: fleet.leader(store) == other, 30, fleet.logs)
    wait_for(lambda: heard_everywhere(store, frozen), 60, fleet.logs)
    return frozen


def heard_everywhere(store: Store, moment: float) -> bool:
    """Whether every check had a round since then to which all locations gave their votes."""
    with store.read() as unit:
        last = [each.last for each in unit.rounds.states()]
    return all(each and each.due > moment and all(place.voted for place in each.places) for each in last)


def thaw(fleet: Fleet, name: str) -> set[str]:
    """Let a director go on; return the tables that it wrote until it stood by."""
    woken = time.time()
    fleet.kill(name, signal.SIGCONT)
    log = fleet.members[name].folder / "log"
    wait_for(lambda: "standing by: another director leads now" in log.read_text(), 30, fleet.logs)
    commits = Ledger(fleet.members[name].folder / "commits").read()
    return {table for commit in commits if commit["at"] >= woken for table in commit["tables"]} - {"leases"}


@pytest.mark.rabbitmq
@pytest.mark.postgresql
def test_a_leader_that_was_frozen_past_its_lease_writes_nothing(
    scene: tuple[Fleet, Store, Targets, Receivers],
) -> None:
    fleet, store, targets, receivers = scene
    frozen = freeze(fleet, store, "guarded", "unguarded")
    assert thaw(fleet, "guarded") == set()
    troubles = [(0.0, frozen), (frozen, time.time() + 5.0)]
    evidence = gather(store, targets, receivers.ledger.read(), troubles=troubles, away=[], sure=inf, down_after=1)
    found = [each for rule in (rounds, truth, incidents, bursts) for each in rule(evidence)]
    assert [each for each in found if "still open" not in each] == [], "notices may be on their way"

    freeze(fleet, store, "unguarded", "guarded")
    assert thaw(fleet, "unguarded"), "without the check of the epoch it would have written"
