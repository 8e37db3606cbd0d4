"""Which notices are due: what waits, what is held back, what follows, and that the answer depends on facts alone."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from nightowl.core.due import LOOK, Case, Decision, Heard, decide, endings
from nightowl.core.suppression import Around
from nightowl.core.telling import Parent, Telling
from nightowl.core.values import Escalation, Incident, Maintenance, Route, Severity, Silence, Suppression

NOW = 1_700_000_000.0
HOUR = 3600.0
SHOP = Incident(
    id="1f",
    kind="check",
    subject="shop",
    severity=Severity.CRITICAL,
    summary="shop is down: connection refused",
    opened=NOW - 5.0,
    noticed=NOW,
    tags={"team": "shop"},
)
SLOW = replace(SHOP, id="2f", subject="search", severity=Severity.WARNING)
ALL = Route(name="all", to=("ops", "mail"))
TOGETHER = replace(ALL, group_by=("team",), to=("ops",))
TELLING = Telling(routes=(ALL,), public_url="https://owl.example/")
FIRED = (Heard(step="firing", channel="ops", at=NOW), Heard(step="firing", channel="mail", at=NOW))
SILENCE = Silence(match={"team": "shop"}, start=NOW - 60.0, end=NOW + HOUR, id=3)


def one(
    incident: Incident = SHOP,
    heard: tuple[Heard, ...] = (),
    *,
    at: float = 0.0,
    telling: Telling = TELLING,
    around: Around = Around(),  # noqa: B008  # a frozen value
    past: tuple[Incident, ...] = (),
) -> Decision:
    [decision] = decide([Case(incident=incident, heard=heard, past=past)], around, telling, NOW + at)
    return decision


def steps(decision: Decision) -> list[str]:
    return [f"{notice.step}/{notice.channel}" for notice in decision.notices]


def sent(*steps: str, at: float = 0.0) -> tuple[Heard, ...]:
    return tuple(Heard(step=step.split("/")[0], channel=step.split("/")[1], at=NOW + at) for step in steps)


# -- opening ---------------------------------------------------------------------------------------------------------


def test_a_critical_incident_is_told_at_once() -> None:
    decision = one()
    assert steps(decision) == ["firing/ops", "firing/mail"]
    assert decision.notices[0].key == "1f/firing/ops"
    assert decision.notices[0].text == SHOP.summary
    assert decision.notices[0].url == "https://owl.example/incidents/1f"


def test_another_waits_from_when_it_was_noticed() -> None:
    assert one(SLOW, at=9.9).notices == ()
    assert one(SLOW, at=9.9).look_at == NOW + 10.0
    assert one(SLOW, at=10.0).opening
    assert steps(one(SLOW, at=10.0)) == ["firing/ops", "firing/mail"]


def test_what_was_told_is_not_told_again() -> None:
    decision = one(heard=FIRED)
    assert decision.idle
    assert not decision.opening
    assert steps(one(heard=FIRED[:1])) == ["firing/mail"]


@pytest.mark.parametrize("status", ["waiting", "dead"])
def test_nor_what_waits_or_was_given_up(status: str) -> None:
    assert one(heard=tuple(replace(each, status=status) for each in FIRED)).idle


def test_incidents_of_a_group_wait_for_the_first_of_them() -> None:
    telling = replace(TELLING, routes=(TOGETHER,))
    cases = [
        Case(incident=SLOW),
        Case(incident=replace(SLOW, id="3f", noticed=NOW + 8.0)),
        Case(incident=replace(SLOW, id="4f", noticed=NOW + 8.0, tags={"team": "bank"})),
    ]
    assert [each.notices for each in decide(cases, Around(), telling, NOW + 9.9)] == [()] * 3
    decisions = decide(cases, Around(), telling, NOW + 10.0)
    assert [steps(each) for each in decisions] == [["firing/ops"], ["firing/ops"], []]
    assert decisions[0].notices[0].group == decisions[1].notices[0].group != ""
    assert decisions[2].look_at == NOW + 18.0


def test_one_that_comes_after_its_group_was_told_is_the_first_of_another() -> None:
    telling = replace(TELLING, routes=(TOGETHER,))
    late = Case(incident=replace(SLOW, id="3f", noticed=NOW + 30.0))
    told = Case(incident=SLOW, heard=FIRED[:1])
    assert [each.notices for each in decide([told, late], Around(), telling, NOW + 39.0)] == [(), ()]


def test_one_that_is_held_back_does_not_hurry_its_group() -> None:
    telling = replace(TELLING, routes=(TOGETHER,))
    held = Case(incident=replace(SLOW, subject="quiet", noticed=NOW - 100.0))
    around = Around(silences=[replace(SILENCE, match={"name": "quiet"})])
    decisions = decide([held, Case(incident=SLOW)], around, telling, NOW + 1.0)
    assert [each.notices for each in decisions] == [(), ()]
    assert decisions[1].look_at == NOW + 10.0


# -- getting worse ---------------------------------------------------------------------------------------------------


def test_getting_worse_is_told_at_once_to_those_who_know_and_fires_at_the_others() -> None:
    worse = replace(SHOP, raised=NOW + 60.0)
    assert steps(one(worse, FIRED[:1], at=60.0)) == ["firing/mail", "raised/ops"]
    assert one(worse, (*FIRED, *sent("raised/ops", "raised/mail", at=60.0)), at=61.0).idle


def test_whoever_heard_first_when_it_was_worse_already_is_not_told_that_it_got_worse() -> None:
    worse = replace(SHOP, raised=NOW + 60.0)
    assert one(worse, tuple(replace(each, raised=NOW + 60.0) for each in FIRED), at=61.0).idle


def test_what_has_got_worse_waits_for_nobody() -> None:
    assert steps(one(replace(SLOW, raised=NOW + 1.0), at=1.0)) == ["firing/ops", "firing/mail"]


# -- holding back ----------------------------------------------------------------------------------------------------


def parent(**keys: object) -> Incident:
    return replace(SHOP, id="9f", subject="router", tags={}, **keys)


CHILD = replace(TELLING, parents={("check", "shop"): (Parent("check", "router", Severity.CRITICAL, 20.0),)})
PATCHING = Maintenance(name="patching", start=0.0, duration=60.0, match={"team": "shop"})


@pytest.mark.parametrize(
    ("around", "telling", "kind", "by", "until"),
    [
        (Around(silences=[SILENCE]), TELLING, "silence", "3", NOW + HOUR),
        (Around(maintenance=[(PATCHING, NOW + 60.0)]), TELLING, "maintenance", "patching", NOW + 60.0),
        (Around(parents=[parent()]), CHILD, "parent", "router", None),
    ],
    ids=["silence", "maintenance", "parent"],
)
def test_what_is_suppressed_opens_without_a_word(
    around: Around, telling: Telling, kind: str, by: str, until: float | None
) -> None:
    decision = one(around=around, telling=telling)
    assert decision.notices == ()
    assert decision.incident.suppressed == Suppression(kind, by, until)
    [change] = decision.changes
    assert (change.event, change.incident) == ("suppressed", decision.incident)
    again = one(decision.incident, around=around, telling=telling, at=1.0)
    assert again.idle


def test_reminders_escalations_and_getting_worse_are_held_back_too() -> None:
    telling = replace(TELLING, routes=(replace(ALL, escalate=(Escalation(60.0, ("boss",)),)),))
    worse = replace(SHOP, raised=NOW + 60.0)
    around = Around(silences=[replace(SILENCE, end=NOW + 9 * HOUR)])
    assert one(worse, FIRED, at=5 * HOUR, telling=telling, around=around).notices == ()
    assert set(steps(one(worse, FIRED, at=5 * HOUR, telling=telling))) == {
        "raised/ops",
        "raised/mail",
        "firing/boss",
        "repeat-1/ops",
        "repeat-1/mail",
    }


def test_once_nothing_holds_it_back_any_more_it_is_told_at_once() -> None:
    held = one(SLOW, around=Around(silences=[SILENCE])).incident
    decision = one(held, at=HOUR, around=Around(silences=[SILENCE]))
    assert steps(decision) == ["firing/ops", "firing/mail"]
    assert decision.incident.suppressed is None
    assert [change.text for change in decision.changes] == [
        "no longer suppressed by silence #3 until 2023-11-14 23:13:20 UTC"
    ]


@pytest.mark.parametrize(
    "silence",
    [replace(SILENCE, end=NOW), replace(SILENCE, start=NOW + 1.0), replace(SILENCE, match={"team": "bank"})],
    ids=["over", "to come", "of others"],
)
def test_a_silence_holds_back_what_matches_while_it_lasts(silence: Silence) -> None:
    assert steps(one(around=Around(silences=[silence]))) == ["firing/ops", "firing/mail"]


def test_an_end_is_told_to_whoever_heard_of_it_whatever_holds_back_now() -> None:
    heard = (*FIRED, *sent("firing/boss"), Heard(step="firing", channel="gone", at=NOW, status="dead"))
    over = replace(SHOP, resolved=NOW + 1.0, suppressed=Suppression("silence", "3", NOW + HOUR))
    made = endings(over, heard, TELLING, "shop is up", NOW + 2.0)
    assert [(each.step, each.channel, each.text) for each in made] == [
        ("resolved", channel, "shop is up") for channel in ("ops", "mail", "boss")
    ]
    assert endings(over, (), TELLING, "shop is up", NOW + 2.0) == []


def test_flapping_holds_back_but_never_the_first() -> None:
    past = tuple(
        replace(SHOP, id=str(number), opened=NOW - 120.0 * number, resolved=NOW - 120.0 * number + 60.0)
        for number in range(1, 12)
    )
    decision = one(past=past)
    assert decision.incident.suppressed is not None
    assert decision.incident.suppressed.kind == "flapping"
    assert decision.notices == ()
    assert steps(one(decision.incident, past=past, at=30 * 60.0)) == ["firing/ops", "firing/mail"]
    for some in range(4):
        assert one(past=past[:some]).notices != ()


# -- dependencies ------------------------------------------------------------------------------------------------------


def test_one_that_depends_on_others_waits_to_see_whether_they_are_down_too() -> None:
    assert one(telling=CHILD, at=19.0).notices == ()
    assert one(telling=CHILD, at=19.0, around=Around(parents=[parent()])).incident.suppressed is not None
    assert steps(one(telling=CHILD, at=20.0)) == ["firing/ops", "firing/mail"]


@pytest.mark.parametrize(
    "other",
    [parent(severity=Severity.WARNING), parent(kind="rule"), replace(parent(), subject="switch"), SHOP],
    ids=["degraded", "rule", "another", "itself"],
)
def test_only_a_parent_that_is_down_counts(other: Incident) -> None:
    assert steps(one(telling=CHILD, at=20.0, around=Around(parents=[other]))) == ["firing/ops", "firing/mail"]


def test_a_parent_that_is_back_leaves_its_children_the_time_to_come_back_as_well() -> None:
    telling = replace(CHILD, slots={"shop": 10.0})
    back = Around(parents=[parent(resolved=NOW + 100.0)])
    assert one(telling=telling, at=119.0, around=back).notices == ()
    assert steps(one(telling=telling, at=120.0, around=back)) == ["firing/ops", "firing/mail"]


# -- later -------------------------------------------------------------------------------------------------------------


def test_a_reminder_is_due_a_period_after_the_newest_notice() -> None:
    heard = (*FIRED, *sent("raised/mail", at=60.0))
    worse = replace(SHOP, raised=NOW + 60.0)
    heard = tuple(replace(each, raised=worse.raised) for each in heard)
    assert one(worse, heard, at=4 * HOUR - 1.0).idle
    assert steps(one(worse, heard, at=4 * HOUR)) == ["repeat-1/ops"]
    assert set(steps(one(worse, heard, at=4 * HOUR + 60.0))) == {"repeat-1/ops", "repeat-1/mail"}


@pytest.mark.parametrize(
    ("incident", "heard", "repeat"),
    [
        (replace(SHOP, acknowledged=NOW), FIRED, HOUR),
        (SHOP, FIRED, 0.0),
        (SHOP, tuple(replace(each, status="waiting") for each in FIRED), HOUR),
        (SHOP, tuple(replace(each, status="dead") for each in FIRED), HOUR),
        (SHOP, (*FIRED, *(replace(each, step="repeat-1", status="waiting") for each in FIRED)), HOUR),
    ],
    ids=["acknowledged", "no repeat", "not told yet", "given up", "a reminder waits"],
)
def test_no_reminder_is_due_for_what_is(incident: Incident, heard: tuple[Heard, ...], repeat: float) -> None:
    telling = replace(TELLING, routes=(replace(ALL, repeat=repeat),))
    assert one(incident, heard, at=100 * HOUR, telling=telling).idle


ESCALATING = replace(TELLING, routes=(replace(ALL, repeat=0.0, escalate=(Escalation(900.0, ("boss", "ops")),)),))


def test_an_escalation_is_counted_from_the_first_notice() -> None:
    heard = (*sent("firing/ops", at=30.0), *sent("firing/mail", at=60.0))
    assert one(heard=heard, at=929.0, telling=ESCALATING).idle
    assert steps(one(heard=heard, at=930.0, telling=ESCALATING)) == ["firing/boss"]
    assert one(heard=(*heard, *sent("firing/boss", at=930.0)), at=9000.0, telling=ESCALATING).idle
    assert one(heard=(), around=Around(silences=[SILENCE]), at=1000.0, telling=ESCALATING).notices == ()


def test_whoever_was_told_by_escalation_hears_when_it_gets_worse() -> None:
    heard = (*FIRED, *sent("firing/boss", at=900.0))
    assert set(steps(one(replace(SHOP, raised=NOW + 950.0), heard, at=950.0, telling=ESCALATING))) == {
        "raised/ops",
        "raised/mail",
        "raised/boss",
    }


def test_an_acknowledgement_stops_the_escalation_until_it_expires() -> None:
    taken = replace(SHOP, acknowledged=NOW + 60.0, acknowledged_by="alice", acknowledged_until=NOW + HOUR)
    assert one(taken, FIRED, at=HOUR - 1.0, telling=ESCALATING).idle
    assert one(taken, FIRED, at=HOUR - 1.0, telling=ESCALATING).look_at == NOW + HOUR
    expired = one(taken, FIRED, at=HOUR, telling=ESCALATING)
    assert [(change.event, change.at, change.text) for change in expired.changes] == [
        ("expired", NOW + HOUR, "the acknowledgement by alice has expired")
    ]
    assert (expired.incident.acknowledged, expired.incident.expired) == (None, NOW + HOUR)
    assert expired.notices == ()
    assert one(expired.incident, FIRED, at=HOUR + 899.0, telling=ESCALATING).idle
    assert steps(one(expired.incident, FIRED, at=HOUR + 900.0, telling=ESCALATING)) == ["firing/boss"]


def test_an_acknowledgement_that_expires_lets_reminders_go_on() -> None:
    taken = replace(SHOP, acknowledged=NOW + 60.0, acknowledged_until=NOW + 5 * HOUR)
    assert steps(one(taken, FIRED, at=5 * HOUR)) == ["repeat-1/ops", "repeat-1/mail"]


RESENDING = replace(TELLING, resend={"ops": 60.0, "quiet": 60.0})


@pytest.mark.parametrize("around", [Around(), Around(silences=[SILENCE])], ids=["open", "silenced"])
def test_a_channel_that_wants_it_is_told_again_acknowledged_or_not_silenced_or_not(around: Around) -> None:
    for incident in (SHOP, replace(SHOP, acknowledged=NOW)):
        assert "resend-1/ops" not in steps(one(incident, FIRED, at=59.0, telling=RESENDING, around=around))
        assert steps(one(incident, FIRED, at=60.0, telling=RESENDING, around=around)) == ["resend-1/ops"]
    again = (*FIRED, *sent("resend-1/ops", at=60.0))
    assert one(heard=again, at=100.0, telling=RESENDING).look_at == NOW + 120.0
    assert steps(one(heard=again, at=120.0, telling=RESENDING)) == ["resend-2/ops"]


def test_resends_put_off_no_reminder() -> None:
    again = (*FIRED[:1], *sent("resend-239/ops", at=4 * HOUR - 30.0), *sent("firing/mail", at=HOUR))
    assert steps(one(heard=again, at=4 * HOUR, telling=RESENDING)) == ["repeat-1/ops"]


def test_what_is_at_rest_is_looked_at_now_and_then() -> None:
    assert one(heard=FIRED, telling=replace(TELLING, routes=(replace(ALL, repeat=0.0),))).look_at == NOW + LOOK
