"""Notices on their way out."""

from __future__ import annotations

from msgspec.structs import replace

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


def grouped(of: str, step: str = "firing", channel: str = "ops", group: str = "team=shop") -> Notice:
    return replace(notice(step, channel, of), group=group)


def test_beyond_the_limit_those_are_claimed_that_can_share_a_message(store: Store) -> None:
    add(store, grouped("i1"), notice(of="i2"), grouped("i3"), grouped("i4", channel="mail"), grouped("i5", group="x"))
    with store.transaction() as unit:
        taken = unit.outbox.claim(NOW, "one", 30.0, 1)
    assert [row.notice.key for row in taken] == ["i1/firing/ops", "i3/firing/ops"]
    assert [row.notice.group for row in taken] == ["team=shop"] * 2


def test_no_notice_of_a_group_overtakes_its_forerunner(store: Store) -> None:
    add(store, grouped("i1"), notice(of="i2", channel="ops"), grouped("i2", "resolved"))
    with store.transaction() as unit:
        taken = unit.outbox.claim(NOW, "one", 30.0, 1)
    assert [row.notice.key for row in taken] == ["i1/firing/ops"]


def test_notices_of_many_incidents_are_read_together(store: Store) -> None:
    add(store, notice(), notice(of="i2"), notice("resolved"), notice(of="i3"))
    with store.read() as unit:
        found = unit.outbox.of_many({"i1", "i2", "i9"})
    assert {of: [row.notice.step for row in rows] for of, rows in found.items()} == {
        "i1": ["firing", "resolved"],
        "i2": ["firing"],
    }


def test_a_resend_takes_the_place_of_those_that_were_sent(store: Store) -> None:
    add(store, notice("firing"), notice("resend-1"), notice("resend-1", channel="mail"), notice("resend-1", of="i2"))
    with store.transaction() as unit:
        for _ in range(2):
            for row in unit.outbox.claim(NOW, "one", 30.0, 10):
                unit.outbox.sent(row.id, NOW)
    add(store, notice("resend-2"), notice("resend-3"))
    with store.read() as unit:
        assert [f"{row.notice.step}/{row.notice.channel}" for row in unit.outbox.of("i1")] == [
            "firing/ops",
            "resend-1/mail",
            "resend-2/ops",
            "resend-3/ops",
        ]
        assert len(unit.outbox.of("i2")) == 1
