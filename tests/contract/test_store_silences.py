"""Silences: kept with a number, told to the change feed, forgotten a while after their end."""

from __future__ import annotations

from msgspec.structs import replace

from nightowl.core.values import Silence
from nightowl.ports import Store

NOW = 1_790_000_000.25


def silence(end: float = 60.0, **keys: str) -> Silence:
    return Silence(match={"team": "shöp*", **keys}, start=NOW, end=NOW + end, author="anna", comment="ünï", created=NOW)


def add(store: Store, *silences: Silence) -> list[Silence]:
    with store.transaction() as unit:
        return [unit.silences.add(each) for each in silences]


def test_a_silence_comes_back_as_it_was_with_a_number_of_its_own(store: Store) -> None:
    first, second = add(store, silence(), silence())
    assert first == replace(silence(), id=first.id)
    assert second.id > first.id
    with store.read() as unit:
        assert unit.silences.get(first.id) == first
        assert unit.silences.get(second.id + 1) is None


def test_those_that_last_come_in_the_order_in_which_they_end(store: Store) -> None:
    late, over, soon = add(store, silence(60.0), silence(5.0), silence(30.0))
    with store.read() as unit:
        assert unit.silences.lasting(NOW + 5.0) == [soon, late]
        assert unit.silences.page(0, 2) == ([soon, over], 3)
        assert unit.silences.page(2, 2) == ([late], 3)


def test_a_silence_that_is_ended_lasts_no_longer(store: Store) -> None:
    [kept] = add(store, silence())
    with store.transaction() as unit:
        unit.silences.put(replace(kept, end=NOW + 1.0))
    with store.read() as unit:
        assert unit.silences.lasting(NOW + 1.0) == []
        assert unit.silences.get(kept.id) == replace(kept, end=NOW + 1.0)


def test_the_feed_tells_of_what_is_silenced(store: Store) -> None:
    with store.read() as unit:
        last = unit.feed.last()
    [kept] = add(store, silence())
    with store.transaction() as unit:
        unit.silences.put(replace(kept, end=NOW + 1.0))
    with store.read() as unit:
        assert [(item.kind, item.subject) for item in unit.feed.after(last, 10)] == [("silence", str(kept.id))] * 2


def test_silences_that_ended_long_ago_go_with_the_incidents(store: Store) -> None:
    old, young = add(store, silence(5.0), silence(60.0))
    with store.transaction() as unit:
        unit.retention.prune("incidents", NOW + 10.0, 100)
    with store.read() as unit:
        assert unit.silences.page(0, 10) == ([young], 1)
        assert unit.silences.get(old.id) is None
