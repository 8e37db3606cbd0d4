"""Notices on their way out."""

from __future__ import annotations

from nightowl.core.values import Incident, Notice, Severity
from nightowl.ports import OutboxRow, Store

NOW = 1_790_000_000.25


def notice(step: str = "firing", channel: str = "ops", of: str = "i1", created: float = NOW) -> Notice:
    incident = Incident(
        id=of,
        kind="check",
        subject="shop",
        severity=Severity.CRITICAL,
        summary="shop is down",
        opened=NOW,
        tags={"team": "ünï"},
    )
    return Notice(incident=incident, step=step, channel=channel, created=created, url="http://owl/i1")


def add(store: Store, *notices: Notice) -> None:
    with store.transaction() as unit:
        unit.outbox.add(notices)


def claim(store: Store, *, at: float = NOW, by: str = "one", busy: tuple[str, ...] = ()) -> list[str]:
    with store.transaction() as unit:
        return [item.notice.key for item in unit.outbox.claim(at, by, 30.0, 10, busy)]


def test_a_notice_with_a_key_that_is_there_has_no_effect(store: Store) -> None:
    add(store, notice())
    add(store, notice(created=NOW + 1), notice("resolved"))
    with store.read() as unit:
        assert [row.notice for row in unit.outbox.of("i1")] == [notice(), notice("resolved")]


def test_only_the_oldest_unsent_notice_of_an_incident_and_channel_is_claimed(store: Store) -> None:
    add(store, notice(), notice("resolved"), notice(channel="mail"), notice(of="i2"))
    assert claim(store) == ["i1/firing/ops", "i1/firing/mail", "i2/firing/ops"]
    assert claim(store, by="two") == []


def test_what_was_sent_or_given_up_lets_the_next_one_go(store: Store) -> None:
    add(store, notice(), notice("repeat-1"), notice("resolved"))
    with store.transaction() as unit:
        [first] = unit.outbox.claim(NOW, "one", 30.0, 10)
        unit.outbox.sent(first.id, NOW)
        [second] = unit.outbox.claim(NOW, "one", 30.0, 10)
        unit.outbox.dead(second.id, NOW, "gone")
    assert claim(store) == ["i1/resolved/ops"]
    with store.read() as unit:
        rows = unit.outbox.of("i1")
    assert [(row.status, row.tries, row.error) for row in rows] == [
        ("sent", 1, ""),
        ("dead", 1, "gone"),
        ("waiting", 0, ""),
    ]


def test_a_notice_that_failed_waits_and_keeps_the_later_ones_waiting(store: Store) -> None:
    add(store, notice(), notice("resolved"))
    with store.transaction() as unit:
        [claimed] = unit.outbox.claim(NOW, "one", 30.0, 10)
        unit.outbox.retry(claimed.id, NOW + 60, "refused")
    assert claim(store, at=NOW + 59) == []
    with store.read() as unit:
        assert unit.outbox.of("i1")[0] == OutboxRow(
            notice=notice(), status="waiting", tries=1, next_at=NOW + 60, error="refused"
        )
    with store.transaction() as unit:
        assert [item.tries for item in unit.outbox.claim(NOW + 60, "two", 30.0, 10)] == [1]


def test_a_claim_that_ended_can_be_taken_by_another(store: Store) -> None:
    add(store, notice())
    assert claim(store) == ["i1/firing/ops"]
    assert claim(store, at=NOW + 29.9, by="two") == []
    assert claim(store, at=NOW + 30, by="two") == ["i1/firing/ops"]


def test_busy_channels_are_left_out_of_a_claim(store: Store) -> None:
    add(store, notice(), notice(channel="mail"))
    assert claim(store, busy=("ops", "pager")) == ["i1/firing/mail"]


def test_notices_of_the_future_wait(store: Store) -> None:
    add(store, notice(created=NOW + 10))
    assert claim(store) == []
    with store.read() as unit:
        assert unit.outbox.oldest() == NOW + 10


def test_the_oldest_waiting_notice_is_known(store: Store) -> None:
    add(store, notice(created=NOW - 5), notice(channel="mail"))
    with store.transaction() as unit:
        [first] = [item for item in unit.outbox.claim(NOW, "one", 30.0, 10) if item.notice.channel == "ops"]
        unit.outbox.sent(first.id, NOW)
        assert unit.outbox.oldest() == NOW
    with store.transaction() as unit:
        unit.outbox.dead(unit.outbox.claim(NOW + 60, "one", 30.0, 10)[0].id, NOW, "")
        assert unit.outbox.oldest() is None
