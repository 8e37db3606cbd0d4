"""Who leads."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from nightowl.adapters.store_sql import open_store
from nightowl.core.errors import LeaseLost
from nightowl.core.values import Incident, Notice, Severity, State, Verdict
from nightowl.ports import Lease, Store, StoredCheck

LONG, OVER = 600.0, -1.0


def acquire(store: Store, holder: str, term: float = LONG) -> Lease | None:
    with store.transaction() as unit:
        return unit.leases.acquire("director", holder, term)


def lead(store: Store, holder: str, term: float = LONG) -> Lease:
    lease = acquire(store, holder, term)
    assert lease is not None
    return lease


def say(store: Store, lease: Lease, subject: str) -> None:
    with store.transaction(lease) as unit:
        unit.feed.add("check", subject)


def said(store: Store) -> list[str]:
    with store.read() as unit:
        return [item.subject for item in unit.feed.after(0, 99)]


def test_a_free_lease_is_taken_and_kept_from_others(store: Store) -> None:
    assert lead(store, "one") == Lease("director", "one", 1)
    assert acquire(store, "two") is None
    assert lead(store, "one") == Lease("director", "one", 1)
    with store.read() as unit:
        holder, left = unit.leases.holder("director") or ("", 0.0)
        assert holder == "one"
        assert LONG - 60 < left <= LONG
        assert unit.leases.holder("watcher") is None


def test_every_new_holder_gets_a_new_epoch(store: Store) -> None:
    assert [lead(store, holder, OVER).epoch for holder in ("one", "two", "two", "one")] == [1, 2, 2, 3]
    with store.read() as unit:
        holder, left = unit.leases.holder("director") or ("", 0.0)
        assert holder == "one"
        assert left < 0


def test_a_released_lease_is_free_at_once(store: Store) -> None:
    lease = lead(store, "one")
    with store.transaction() as unit:
        unit.leases.release(lease)
        assert unit.leases.holder("director") is None
    assert lead(store, "two").epoch == 2
    with store.transaction() as unit:
        unit.leases.release(lease)
    assert acquire(store, "three") is None


def test_a_lease_is_prolonged_until_another_takes_it(store: Store) -> None:
    lease = lead(store, "one", OVER)
    with store.transaction() as unit:
        assert unit.leases.renew(lease, LONG)
    assert acquire(store, "two") is None
    with store.transaction() as unit:
        assert unit.leases.renew(lease, OVER)
    lead(store, "two")
    with store.transaction() as unit:
        assert not unit.leases.renew(lease, LONG)


def test_a_leader_that_was_frozen_writes_nothing(store: Store) -> None:
    frozen = lead(store, "one", OVER)
    say(store, frozen, "before")
    leader = lead(store, "two")
    with pytest.raises(LeaseLost):
        say(store, frozen, "too late")
    say(store, leader, "after")
    assert said(store) == ["before", "after"]


def test_after_a_release_the_old_lease_confirms_nothing(store: Store) -> None:
    lease = lead(store, "one")
    with store.transaction() as unit:
        unit.leases.release(lease)
    lead(store, "one")
    with pytest.raises(LeaseLost):
        say(store, lease, "too late")


def test_a_take_over_waits_for_the_leaders_transaction(lasting_url: str) -> None:
    mine, other = open_store(lasting_url, migrate=True), open_store(lasting_url)
    lease = lead(mine, "one", OVER)
    taken = threading.Thread(target=acquire, args=(other, "two"))
    with mine.transaction(lease) as unit:
        taken.start()
        taken.join(0.2)
        assert taken.is_alive()
        unit.feed.add("check", "in time")
    taken.join(30)
    with pytest.raises(LeaseLost):
        say(mine, lease, "too late")
    assert said(other) == ["in time"]
    mine.close()
    other.close()


def test_of_many_that_want_to_lead_one_does(lasting_url: str) -> None:
    stores = [open_store(lasting_url, migrate=True) for _ in range(4)]
    taken: list[Lease | None] = []
    start = threading.Barrier(4)

    def run(store: Store, name: str) -> None:
        start.wait(30)
        taken.append(acquire(store, name))

    in_parallel([(run, (store, str(number))) for number, store in enumerate(stores)])
    assert len([lease for lease in taken if lease is not None]) == 1
    for store in stores:
        store.close()


def test_two_claimers_never_get_the_same_notice(lasting_url: str) -> None:
    stores = [open_store(lasting_url, migrate=True) for _ in range(2)]
    with stores[0].transaction() as unit:
        for number in range(60):
            incident = Incident(
                id=f"i{number}", kind="check", subject="shop", severity=Severity.INFO, summary="", opened=0.0
            )
            unit.outbox.add([Notice(incident=incident, step="firing", channel="ops", created=0.0)])
    claimed: list[int] = []

    def run(store: Store, holder: str) -> None:
        while True:
            with store.transaction() as unit:
                rows = unit.outbox.claim(1.0, holder, 30.0, 7)
            if not rows:
                return
            claimed.extend(row.id for row in rows)

    in_parallel([(run, (store, str(number))) for number, store in enumerate(stores)])
    assert len(claimed) == len(set(claimed)) == 60
    for store in stores:
        store.close()


def test_a_round_closed_by_two_at_once_counts_once(lasting_url: str) -> None:
    stores = [open_store(lasting_url, migrate=True) for _ in range(2)]
    verdicts = [Verdict(check=f"shop-{number}", due=5.0, closed=6.0, state=State.UP, places=()) for number in range(50)]
    start = threading.Barrier(2)

    def run(store: Store) -> None:
        start.wait(30)
        with store.transaction() as unit:
            unit.rounds.close(verdicts, [])

    in_parallel([(run, (store,)) for store in stores])
    with stores[0].read() as unit:
        assert {unit.rounds.days(verdict.check, 0, 0)[0].up for verdict in verdicts} == {1}
    for store in stores:
        store.close()


def test_threads_of_one_process_write_in_turn(store: Store) -> None:
    def run(name: str) -> None:
        for number in range(20):
            with store.transaction() as unit:
                unit.feed.add("check", f"{name}-{number}")

    in_parallel([(run, (name,)) for name in "abcd"])
    with store.read() as unit:
        assert [item.id for item in unit.feed.after(0, 999)] == list(range(1, 81))


def test_a_follower_of_the_feed_misses_nothing(lasting_url: str) -> None:
    stores = [open_store(lasting_url, migrate=True) for _ in range(3)]
    seen: list[int] = []

    def write(store: Store, name: str) -> None:
        for number in range(25):
            with store.transaction() as unit:
                unit.feed.add("check", f"{name}-{number}")
                unit.checks.put(StoredCheck(name=f"{name}-{number}", origin="stored", paused=False, spec={}))

    def follow(store: Store) -> None:
        while len(seen) < 50:
            with store.read() as unit:
                seen.extend(item.id for item in unit.feed.after(seen[-1] if seen else 0, 10))

    in_parallel([(write, (stores[0], "a")), (write, (stores[1], "b")), (follow, (stores[2],))])
    assert seen == list(range(1, 51))
    for store in stores:
        store.close()


def in_parallel(calls: list[tuple[Callable[..., None], tuple[object, ...]]]) -> None:
    failures: list[BaseException] = []

    def guarded(function: Callable[..., None], arguments: tuple[object, ...]) -> None:
        try:
            function(*arguments)
        except BaseException as error:  # noqa: BLE001  # told to the test below
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=call, daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
