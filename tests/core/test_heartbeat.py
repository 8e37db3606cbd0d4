"""Heartbeats: what calls, and their absence, come to."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightowl.core import heartbeat
from nightowl.core.values import Check, Heartbeat, Ping, Pulse, State, Target

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()
HOURLY = Heartbeat(every=HOUR, grace=10 * MINUTE)
NIGHTLY = Heartbeat(cron="0 3 * * *", timezone="Europe/Paris", grace=20 * MINUTE)


def check(*, paused: bool = False) -> Check:
    return Check(name="backup", target=Target(kind="heartbeat", url=""), locations=(), paused=paused)


def ping(at: float, signal: str = "success", exit_code: int | None = None) -> Ping:
    return Ping(check="backup", at=at, signal=signal, exit_code=exit_code)  # type: ignore[arg-type]  # a word of the test's own


def called(plan: Heartbeat, *pings: Ping) -> Pulse:
    pulse = heartbeat.follow(None, check(), plan, 0.0)
    for each in pings:
        pulse, _ = heartbeat.take(pulse, each, each.at)
    return pulse


def test_nothing_is_expected_before_the_first_call() -> None:
    pulse = called(HOURLY)
    assert pulse.deadline is None
    assert heartbeat.missed(pulse, 1e10, 1e10) == (pulse, [])


def test_a_success_is_up_and_the_next_call_expected_a_period_later() -> None:
    pulse, verdict = heartbeat.take(called(HOURLY), ping(NOON), NOON)
    assert verdict is not None
    assert (verdict.state, verdict.due, verdict.duration) == (State.UP, NOON, None)
    assert (pulse.expected, pulse.deadline) == (NOON + HOUR, NOON + HOUR + 10 * MINUTE)


def test_the_duration_of_a_run_is_that_since_its_start() -> None:
    _, verdict = heartbeat.take(called(HOURLY, ping(NOON, "start")), ping(NOON + 95.5), NOON + 96)
    assert verdict is not None
    assert verdict.duration == 95.5


@pytest.mark.parametrize(("code", "reason"), [(None, "heartbeat.failed"), (3, "heartbeat.exit")])
def test_a_failure_is_down_at_once(code: int | None, reason: str) -> None:
    pulse, verdict = heartbeat.take(called(HOURLY), ping(NOON, "fail", code), NOON)
    assert verdict is not None
    assert (verdict.state, verdict.reason, verdict.due) == (State.DOWN, reason, NOON)
    assert pulse.deadline == NOON + HOUR + 10 * MINUTE


def test_a_deadline_that_passes_is_down_at_the_deadline_and_not_before() -> None:
    pulse = called(NIGHTLY, ping(NOON))
    deadline = datetime(2026, 6, 2, 1, 20, tzinfo=UTC).timestamp()
    assert heartbeat.missed(pulse, deadline - 0.001, deadline)[1] == []
    after, (verdict,) = heartbeat.missed(pulse, deadline, deadline + 0.4)
    assert (verdict.due, verdict.state, verdict.reason) == (deadline, State.DOWN, "heartbeat.late")
    assert "2026-06-02 03:00:00 CEST" in verdict.detail
    assert after.deadline == deadline + DAY


def test_a_run_that_does_not_end_within_grace_is_down() -> None:
    pulse = called(HOURLY, ping(NOON), ping(NOON + HOUR, "start"))
    after, (verdict,) = heartbeat.missed(pulse, NOON + HOUR + 10 * MINUTE, NOON + 2 * HOUR)
    assert (verdict.due, verdict.reason) == (NOON + HOUR + 10 * MINUTE, "heartbeat.unfinished")
    assert after.deadline == NOON + 2 * HOUR + 10 * MINUTE


def test_starting_again_and_again_does_not_put_off_the_deadline() -> None:
    starts = [ping(NOON + minute * MINUTE, "start") for minute in range(9)]
    assert called(HOURLY, *starts).deadline == NOON + 10 * MINUTE


def test_a_run_begun_a_little_early_and_lost_is_missed_once() -> None:
    three = datetime(2026, 6, 2, 1, tzinfo=UTC).timestamp()
    pulse = called(NIGHTLY, ping(NOON), ping(three - 5, "start"))
    assert [each.due for each in heartbeat.missed(pulse, three + HOUR, three + HOUR)[1]] == [three - 5 + 20 * MINUTE]


def test_a_call_that_comes_seconds_before_its_moment_is_for_that_moment() -> None:
    three = datetime(2026, 6, 2, 1, tzinfo=UTC).timestamp()
    assert called(NIGHTLY, ping(three - 2)).expected == three + DAY
    assert called(NIGHTLY, ping(three - 2 * MINUTE)).expected == three


@pytest.mark.parametrize("ahead", [1.0, HOUR, 365 * DAY])
def test_a_call_from_a_clock_that_is_ahead_counts_from_now(ahead: float) -> None:
    assert heartbeat.heard(ping(NOON + ahead), NOON) == ping(NOON)
    assert heartbeat.heard(ping(NOON - ahead), NOON) == ping(NOON - ahead)


@pytest.mark.parametrize("plan", [Heartbeat(every=MINUTE, grace=30.0), Heartbeat(cron="* * * * *", grace=30.0)])
def test_of_many_periods_that_were_missed_at_once_the_later_ones_are_left_out(plan: Heartbeat) -> None:
    until = NOON + 365 * DAY
    pulse, late = heartbeat.missed(called(plan, ping(NOON)), until, until)
    assert [each.due for each in late] == [NOON + each * MINUTE + 30 for each in range(1, heartbeat.ROW + 1)]
    assert pulse.deadline == until + 30


def test_downtime_moves_a_deadline_that_lay_ahead_of_it() -> None:
    pulse = called(HOURLY, ping(NOON))
    assert pulse.deadline is not None
    assert heartbeat.extended(pulse, NOON + 60, NOON + 100).deadline == pulse.deadline + 40
    assert heartbeat.extended(pulse, pulse.deadline, pulse.deadline + 9).deadline == pulse.deadline


def test_a_heartbeat_that_is_resumed_is_counted_from_then() -> None:
    paused = heartbeat.follow(called(HOURLY, ping(NOON)), check(paused=True), HOURLY, NOON + 60)
    assert paused.deadline is None
    resumed = heartbeat.follow(paused, check(), HOURLY, NOON + DAY)
    assert resumed.expected == NOON + DAY + HOUR


def test_calls_of_a_paused_heartbeat_have_no_verdict() -> None:
    paused = heartbeat.follow(called(HOURLY), check(paused=True), HOURLY, NOON)
    assert heartbeat.take(paused, ping(NOON, "fail"), NOON)[1] is None


def test_a_new_plan_is_reckoned_from_the_last_call_unless_that_is_late_already() -> None:
    pulse = called(HOURLY, ping(NOON))
    longer = Heartbeat(every=2 * HOUR, grace=MINUTE)
    assert heartbeat.follow(pulse, check(), longer, NOON + 60).expected == NOON + 2 * HOUR
    shorter = Heartbeat(every=10.0, grace=MINUTE)
    assert heartbeat.follow(pulse, check(), shorter, NOON + 600).expected == NOON + 610


def test_a_token_is_secret_and_one_of_a_generation() -> None:
    first, second = heartbeat.token(b"k", 7, 0), heartbeat.token(b"k", 7, 1)
    assert len(first) == 32
    assert len({first, second, heartbeat.token(b"other", 7, 0), heartbeat.token(b"k", 8, 0)}) == 4


PLANS = [
    HOURLY,
    NIGHTLY,
    Heartbeat(every=20 * MINUTE, grace=HOUR),
    Heartbeat(cron="*/20 * * * *", grace=30.0),
    Heartbeat(cron="30 2 * * *", timezone="America/New_York", grace=2 * HOUR),
]
SPRING = datetime(2026, 3, 7, tzinfo=UTC).timestamp()


@settings(deadline=None, max_examples=60)
@given(
    plan=st.sampled_from(PLANS),
    steps=st.lists(st.tuples(st.floats(0, 12 * HOUR), st.sampled_from(["success", "start", "fail"])), max_size=8),
)
def test_rounds_come_in_order_and_no_deadline_is_skipped_or_doubled(
    plan: Heartbeat, steps: list[tuple[float, str]]
) -> None:
    pulse, now, dues = called(plan), SPRING, []
    for wait, signal in steps:
        now = round(now + wait, 3)
        pulse, late = heartbeat.missed(pulse, now, now)
        dues += [each.due for each in late]
        assert pulse.deadline is None or pulse.deadline > now
        pulse, verdict = heartbeat.take(pulse, ping(now, signal), now)
        dues += [verdict.due] if verdict else []
    assert dues == sorted(dues)


@settings(deadline=None, max_examples=60)
@given(plan=st.sampled_from(PLANS), start=st.floats(SPRING, SPRING + 365 * DAY))
def test_a_silent_job_misses_every_moment_once(plan: Heartbeat, start: float) -> None:
    pulse = called(plan, ping(round(start, 3)))
    wanted, _ = [], None
    moment = heartbeat.expected_after(plan, round(start, 3))
    for _ in range(5):
        wanted.append(round(moment + plan.grace, 3))
        moment = moment + plan.every if plan.every else next(heartbeat.moments(plan.cron, plan.timezone, moment))
    _, late = heartbeat.missed(pulse, wanted[-1], wanted[-1])
    assert [each.due for each in late] == pytest.approx(wanted, abs=0.002)
