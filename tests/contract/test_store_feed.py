"""The change feed."""

from __future__ import annotations

from nightowl.ports import FeedItem, Store


def test_the_feed_is_numbered_in_order_and_says_a_thing_once_a_transaction(store: Store) -> None:
    with store.transaction() as unit:
        assert unit.feed.last() == 0
    for subjects in (["a", "b", "a"], ["a"]):
        with store.transaction() as unit:
            for subject in subjects:
                unit.feed.add("request", subject)
    with store.transaction() as unit:
        unit.feed.add("check", "c")
        assert unit.feed.last() == 4
        assert unit.feed.after(2, 1) == [FeedItem(id=3, kind="request", subject="a")]
        assert [item.subject for item in unit.feed.after(0, 9)] == ["a", "b", "a", "c"]
