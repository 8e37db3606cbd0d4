"""Two processes at one store: one that holds up the other, and both that do the same at the same moment."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest
from msgspec.structs import replace

from nightowl.adapters.store_sql import SqlStore, open_store
from nightowl.core.errors import LeaseLost, Refused, StoreUnavailable
from nightowl.core.values import Change, Incident, Severity, User
from nightowl.ports import Lease, Store

LONG, OVER = 600.0, -1.0

START = """
import sys
from nightowl.adapters.store_sql import open_store
from nightowl.flows.define import define
specs = {f"check-{number}": {"url": "http://shop/", "tags": {"a": "b"}} for number in range(300)}
print("ready", flush=True)
sys.stdin.readline()
store = open_store(sys.argv[1], migrate=True)
define(store, specs, [], 1.0, seal=lambda name, spec: spec)
store.close()
"""


@pytest.fixture(
    params=[
        pytest.param("postgresql_url", marks=pytest.mark.postgresql),
        pytest.param("mariadb_url", marks=pytest.mark.mariadb),
    ]
)
def server_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database of a server."""
    url: str = request.getfixturevalue(request.param)
    return url


def lead(store: Store, holder: str, term: float = LONG) -> Lease | None:
    with store.transaction() as unit:
        return unit.leases.acquire("director", holder, term)


def take_over(store: Store, deadline: float) -> Lease | None:
    """Try as a standby does until ``deadline`` (monotonic)."""
    while time.monotonic() < deadline:
        try:
            if lease := lead(store, "two"):
                return lease
        except StoreUnavailable:
            continue
    return None


def bounded(monkeypatch: pytest.MonkeyPatch, *, lock_wait: int, idle: int) -> None:
    monkeypatch.setattr("nightowl.adapters.store_sql.engines._LOCK_WAIT", lock_wait)
    monkeypatch.setattr("nightowl.adapters.store_sql.engines._IDLE", idle)


def test_a_leader_frozen_in_a_transaction_is_succeeded_and_writes_nothing(
    server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded(monkeypatch, lock_wait=1, idle=2)
    frozen, standby = open_store(server_url, migrate=True), open_store(server_url)
    lease = lead(frozen, "one", OVER)
    taken: list[Lease | None] = []

    def freeze() -> None:
        with frozen.transaction(lease) as unit:
            unit.incidents.apply([change(INCIDENT, "opened")])
            taken.append(take_over(standby, time.monotonic() + 60))

    with pytest.raises((LeaseLost, StoreUnavailable)):
        freeze()
    assert taken == [Lease("director", "two", 2)]
    with standby.read() as unit:
        assert unit.incidents.open() == []
        assert unit.feed.last() == 0
    with pytest.raises(LeaseLost), frozen.transaction(lease):
        pass
    frozen.close()
    standby.close()


def test_a_standby_that_meets_the_leaders_lock_is_told_so(server_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bounded(monkeypatch, lock_wait=1, idle=60)
    leader, standby = open_store(server_url, migrate=True), open_store(server_url)
    lease = lead(leader, "one", OVER)
    with leader.transaction(lease), pytest.raises(StoreUnavailable, match=r"(?i)lock"):
        lead(standby, "two")
    assert lead(standby, "two") == Lease("director", "two", 2)
    leader.close()
    standby.close()


def test_what_stands_in_the_url_wins_over_the_bounds(postgresql_url: str) -> None:
    store = open_store(f"{postgresql_url}?options=-c%20lock_timeout%3D7s", migrate=True)
    assert setting(store, "lock_timeout") == "7s"
    assert setting(store, "idle_in_transaction_session_timeout") == "5s"
    store.close()


def setting(store: SqlStore, name: str) -> object:
    with store._engines.writer.begin() as connection:
        return connection.exec_driver_sql(f"SHOW {name}").scalar()


def test_processes_that_start_at_once_make_the_tables_and_define_the_same_checks(lasting_url: str) -> None:
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", START, lasting_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in starting:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in starting:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate(timeout=120)[1] for process in starting] == [""] * 3
    store = open_store(lasting_url)
    with store.read() as unit:
        assert len(unit.checks.all()) == 300
        assert unit.feed.last() == 300  # the others found nothing to write
    store.close()


INCIDENT = Incident(id="i1", kind="check", subject="shop", severity=Severity.CRITICAL, summary="", opened=1.0)


def change(incident: Incident, event: str) -> Change:
    return Change(event=event, incident=incident, at=2.0, text="", by="alice")  # type: ignore[arg-type]  # a plain str


def test_two_that_change_an_incident_at_once_lose_neither_change(lasting_url: str) -> None:
    mine, other = open_store(lasting_url, migrate=True), open_store(lasting_url)
    with mine.transaction() as unit:
        unit.incidents.apply([change(INCIDENT, "opened")])

    def acknowledge() -> None:
        with other.transaction() as unit:
            found = unit.incidents.get("i1")
            assert found is not None
            unit.incidents.apply([change(replace(found, acknowledged=3.0), "acknowledged")])

    thread = threading.Thread(target=acknowledge, daemon=True)
    with mine.transaction() as unit:
        found = unit.incidents.get("i1")
        assert found is not None
        thread.start()
        thread.join(0.2)
        unit.incidents.apply([change(replace(found, resolved=4.0), "resolved")])
    thread.join(30)
    with mine.read() as unit:
        assert unit.incidents.get("i1") == replace(INCIDENT, acknowledged=3.0, resolved=4.0)
    mine.close()
    other.close()


def test_what_depends_on_something_that_another_removed_is_tried_again(store: Store) -> None:
    with pytest.raises(StoreUnavailable), store.transaction() as unit:
        unit.users.open_session(b"token", "removed meanwhile", 9e9)


def test_a_value_that_a_server_cannot_hold_is_refused(server_url: str) -> None:
    store = open_store(server_url, migrate=True)
    with pytest.raises(Refused, match="cannot hold"), store.transaction() as unit:
        unit.users.put(User(name="x" * 300, role="viewer", password_hash="$argon2"))
    store.close()
