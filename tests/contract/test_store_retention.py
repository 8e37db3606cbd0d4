"""Forgetting."""

from __future__ import annotations

from random import random
from time import monotonic, sleep

import pytest
from sqlalchemy import create_engine

from nightowl.adapters.store_sql import open_store
from nightowl.core.series import Series
from nightowl.core.values import (
    Attempt,
    Change,
    Entry,
    Incident,
    Notice,
    Outcome,
    Sample,
    Severity,
    State,
    User,
    Verdict,
)
from nightowl.ports import Refusals, Store, StoredCheck

OLD = 1_780_000_000.0
NEW = OLD + 864_000.0
BEFORE = NEW - 1


def fill_rounds(store: Store) -> None:
    with store.transaction() as unit:
        for check in ("shop", "cart"):
            unit.checks.put(StoredCheck(name=check, origin="stored", paused=False, spec={}))
            for due in (OLD, OLD + 1, NEW):
                attempt = Attempt(state=State.UP, started=due, duration=0.1, excerpt="<html>")
                outcome = Outcome(
                    check=check, due=due, location="london", state=State.UP, attempts=(attempt, attempt), kept=1
                )
                unit.rounds.add_outcomes([outcome])
                unit.rounds.close([Verdict(check=check, due=due, closed=due, state=State.UP, places=())], [])


def prune_all(store: Store, kind: str, limit: int = 2) -> list[int]:
    """Prune until nothing is left to prune: how many rows went in each batch."""
    gone = []
    while not gone or gone[-1]:
        with store.transaction() as unit:
            gone.append(unit.retention.prune(kind, BEFORE, limit))
    return gone


def test_attempts_are_forgotten_before_their_outcomes(store: Store) -> None:
    fill_rounds(store)
    assert prune_all(store, "attempts", 3) == [3, 1, 0]
    with store.read() as unit:
        [old], [new] = unit.rounds.outcomes("shop", OLD), unit.rounds.outcomes("shop", NEW)
        assert (len(old.attempts), old.kept, len(new.attempts)) == (1, 0, 2)


def test_outcomes_go_with_their_verdicts_and_days(store: Store) -> None:
    fill_rounds(store)
    gone = prune_all(store, "outcomes")
    assert sum(gone) == 8
    assert max(gone) == 2
    with store.read() as unit:
        for check in ("shop", "cart"):
            assert unit.rounds.outcomes(check, OLD) == []
            assert len(unit.rounds.outcomes(check, NEW)) == 1
            assert [verdict.due for verdict in unit.rounds.verdicts(check, 0, NEW, 10)] == [NEW]
            assert [day.up for day in unit.rounds.days(check, 0, 30_000)] == [1]


def test_rounds_of_a_removed_check_go_whatever_their_age(store: Store) -> None:
    fill_rounds(store)
    with store.transaction() as unit:
        unit.checks.remove("shop")
    assert sum(prune_all(store, "outcomes")) == 10
    fill_rounds(store)
    with store.read() as unit:
        assert len(unit.rounds.outcomes("shop", NEW)) == 1


def test_samples_are_forgotten_by_age(store: Store) -> None:
    with store.transaction() as unit:
        for time in (OLD, OLD + 3600, NEW, NEW + 3600):
            unit.series.append("test", time, [Sample(metric, (), time, 1.0) for metric in "ab"])
        assert unit.series.compact(NEW, 9) == 2
    assert prune_all(store, "series", 64) == [64, 64, 0]  # an hour of a block at a time
    with store.read() as unit:
        assert [sample.time for sample in unit.series.window("a", {}, 0, NEW + 3600)] == [NEW, NEW + 3600]
    with store.transaction() as unit:
        assert unit.retention.prune("series", NEW + 1, 64) == 64  # a step that waits
    with store.read() as unit:
        assert [sample.time for sample in unit.series.latest(0)] == [NEW + 3600, NEW + 3600]


def test_a_series_is_forgotten_with_its_last_rollup_and_makes_room(store: Store) -> None:
    with store.transaction() as unit:
        unit.series.limit(2)
        assert unit.series.append("test", OLD, [Sample(metric, (), OLD, 1.0) for metric in "ab"]) == 0
        unit.series.append("test", NEW, [Sample("b", (), NEW, 1.0)])
        unit.series.compact(NEW, 9)
        assert unit.series.append("test", NEW + 1, [Sample("c", (), NEW + 1, 1.0)]) == 1
    prune_all(store, "series")
    with store.read() as unit:
        assert len(unit.series.range("a", {}, OLD, NEW, 300)) == 1
    assert sum(prune_all(store, "rollups")) > 0
    with store.transaction() as unit:
        assert unit.series.range("a", {}, OLD, NEW, 300) == {}
        assert list(unit.series.names([1, 2]).values()) == [Series("b")]
        assert unit.series.append("test", NEW + 2, [Sample("c", (), NEW + 2, 1.0)]) == 0
        assert unit.series.number([Series("b"), Series("c"), Series("d")]).tolist() == [2, 3, -1]
        assert unit.series.refused() == Refusals(1, NEW + 1)


def test_a_series_that_never_had_a_sample_is_forgotten_and_one_that_waits_is_not(store: Store) -> None:
    with store.transaction() as unit:
        unit.series.number([Series("empty")])
        unit.series.append("test", NEW, [Sample("waiting", (), OLD, 1.0)])
    assert sum(prune_all(store, "rollups")) == 1
    with store.read() as unit:
        assert list(unit.series.names([1, 2]).values()) == [Series("waiting")]


def test_open_incidents_and_unsent_notices_stay(store: Store) -> None:
    incidents = [
        Incident(
            id=name, kind="check", subject="shop", severity=Severity.INFO, summary="", opened=OLD, resolved=resolved
        )
        for name, resolved in (("over", OLD), ("open", None), ("fresh", NEW))
    ]
    with store.transaction() as unit:
        unit.incidents.apply([Change(event="opened", incident=item, at=OLD, text="") for item in incidents])
        unit.incidents.note(Entry(incident="over", at=OLD, event="note", text="", by=""))
        unit.outbox.add([Notice(incident=item, step="firing", channel="ops", created=OLD) for item in incidents])
        [sent, *_] = [item for item in unit.outbox.claim(NEW, "me", 30, 10) if item.notice.incident.id == "open"]
        unit.outbox.sent(sent.id, OLD)
    assert prune_all(store, "outbox") == [1, 0]
    assert prune_all(store, "incidents") == [1, 0]
    with store.read() as unit:
        assert {item.id for item in unit.incidents.page(open_only=False, subject="", offset=0, limit=9)[0]} == {
            "open",
            "fresh",
        }
        assert unit.incidents.timeline("over") == []
        assert [len(unit.outbox.of(item.id)) for item in incidents] == [0, 0, 1]


def test_the_feed_never_counts_backwards(store: Store) -> None:
    for _ in range(3):
        with store.transaction() as unit:
            unit.feed.add("check", "shop")
    with store.transaction() as unit:
        assert unit.retention.prune("feed", 1.0, 9) == 0
        assert unit.retention.prune("feed", 9e9, 2) == 2
        assert [item.id for item in unit.feed.after(0, 9)] == [3]
        assert unit.retention.prune("feed", 9e9, 2) == 1
        assert unit.feed.last() == 3


def test_sessions_that_ended_are_forgotten(store: Store) -> None:
    with store.transaction() as unit:
        unit.users.put(User(name="alice", role="viewer", password_hash=""))
        for number in range(5):
            unit.users.open_session(bytes([number]), "alice", OLD if number else NEW)
    assert prune_all(store, "sessions", 3) == [3, 1, 0]
    with store.read() as unit:
        assert unit.users.session(b"\x00", OLD) is not None


def test_an_unknown_kind_is_an_error(store: Store) -> None:
    with store.transaction() as unit, pytest.raises(KeyError):
        unit.retention.prune("weather", BEFORE, 1)


def size(url: str, store: Store) -> int:
    """The store's size by fresh statistics, which a server brings up to date by itself from time to time."""
    engine = create_engine(url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("ANALYZE")
        if engine.dialect.name == "mysql":
            connection.exec_driver_sql("ANALYZE TABLE steps")
    engine.dispose()
    with store.read() as unit:
        return unit.retention.size()


def test_the_size_falls_when_much_is_forgotten(lasting_url: str) -> None:
    store = open_store(lasting_url, migrate=True)
    empty = size(lasting_url, store)
    with store.transaction() as unit:
        for step in range(200):
            samples = [Sample("queue_length", (), OLD + step + n / 100, random()) for n in range(100)]
            unit.series.append("test", OLD + step, samples)
    full = size(lasting_url, store)
    prune_all(store, "series", 50_000)
    assert empty < full - 200_000
    end = monotonic() + 60  # MariaDB clears deleted rows away behind our back
    while size(lasting_url, store) >= full - 200_000:
        assert monotonic() < end
        sleep(0.1)
    store.close()
