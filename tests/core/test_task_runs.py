"""Checks of tasks: what starts and ends of runs, and their absence, come to."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightowl.core import heartbeat, runs
from nightowl.core.values import Check, Heartbeat, Ping, Pulse, State, Target, Verdict

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()
THREE = datetime(2026, 6, 2, 1, tzinfo=UTC).timestamp()  # 03:00 in Paris
NIGHTLY = Heartbeat(
    cron="0 3 * * *", timezone="Europe/Paris", grace=20 * MINUTE, cluster="shop", task="report", max_runtime=HOUR
)
HOURLY = Heartbeat(every=HOUR, grace=10 * MINUTE, cluster="shop", task="report")


def check(*, paused: bool = False) -> Check:
    return Check(name="nightly", target=Target(kind="task", url=""), locations=(), paused=paused)


def start(at: float, run: str = "a") -> Ping:
    return Ping(check="nightly", at=at, signal="start", run=run)


def end(at: float, run: str = "a", error: str = "", started: float | None = None) -> Ping:
    signal = "fail" if error else "success"
    return Ping(check="nightly", at=at, signal=signal, run=run, tail=error, started=started)  # type: ignore[arg-type]  # a word of the test's own


def defined(plan: Heartbeat, at: float = NOON) -> Pulse:
    return heartbeat.follow(None, check(), plan, at)


def heard(pulse: Pulse, *pings: Ping) -> tuple[Pulse, list[Verdict]]:
    verdicts = []
    for ping in runs.in_order(pings):
        pulse, late = heartbeat.missed(pulse, ping.at, ping.at)
        pulse, verdict = heartbeat.take(pulse, ping, ping.at)
        verdicts += [*late, verdict] if verdict else late
    return pulse, verdicts


def test_a_task_that_never_ran_is_missed_from_the_definition_on() -> None:
    _, (verdict,) = heartbeat.missed(defined(NIGHTLY), THREE + 20 * MINUTE, THREE + HOUR)
    assert (verdict.due, verdict.state, verdict.reason) == (THREE + 20 * MINUTE, State.DOWN, "task.late")
    assert verdict.detail == (
        "the task was expected 2026-06-02 03:00:00 CEST and had not started by 2026-06-02 03:20:00 CEST"
    )


def test_a_start_meets_what_was_expected_and_a_success_is_up() -> None:
    begun, none = heard(defined(NIGHTLY), start(THREE + 1))
    assert (none, begun.expected, heartbeat.due(begun)) == ([], THREE + DAY, THREE + 1 + HOUR)
    ended, (verdict,) = heard(begun, end(THREE + 41 * MINUTE))
    assert (verdict.state, verdict.duration) == (State.UP, 41 * MINUTE - 1)
    assert (ended.expected, ended.runs) == (THREE + DAY, ())


def test_an_end_that_tells_its_start_is_no_late_start() -> None:
    pulse, (verdict,) = heard(defined(NIGHTLY), end(THREE + 40 * MINUTE, started=THREE + 5))
    assert (verdict.state, verdict.duration, pulse.runs) == (State.UP, 40 * MINUTE - 5, ())
    assert pulse.expected == THREE + DAY


def test_a_run_that_takes_too_long_is_down_once_while_it_runs_and_up_when_it_has_succeeded() -> None:
    begun, _ = heard(defined(NIGHTLY), start(THREE))
    assert heartbeat.missed(begun, THREE + HOUR - 0.001, THREE + HOUR)[1] == []
    over, (verdict,) = heartbeat.missed(begun, THREE + 2 * HOUR, THREE + 2 * HOUR)
    assert (verdict.due, verdict.state, verdict.reason) == (THREE + HOUR, State.DOWN, "task.unfinished")
    _, (ended,) = heard(over, end(THREE + 3 * HOUR))
    assert (ended.state, ended.duration) == (State.UP, 3 * HOUR)


def test_each_of_several_runs_has_a_time_of_its_own() -> None:
    plan = Heartbeat(every=HOUR, grace=MINUTE, cluster="shop", task="report", max_runtime=90 * MINUTE)
    pulse, verdicts = heard(defined(plan), start(NOON), start(NOON + HOUR, "b"), end(NOON + 80 * MINUTE, "b"))
    assert [each.duration for each in verdicts] == [20 * MINUTE]
    _, (late,) = heartbeat.missed(pulse, NOON + 90 * MINUTE, NOON + 90 * MINUTE)
    assert late.reason == "task.unfinished"


def test_without_a_longest_run_only_starts_are_waited_for() -> None:
    pulse, _ = heard(defined(HOURLY), start(NOON))
    _, (verdict,) = heartbeat.missed(pulse, NOON + 70 * MINUTE, NOON + 2 * HOUR)
    assert verdict.reason == "task.late"


def test_the_end_of_a_long_run_does_not_hide_that_the_next_never_began() -> None:
    pulse, _ = heard(defined(HOURLY), start(NOON), end(NOON + 65 * MINUTE))
    assert pulse.deadline == NOON + 70 * MINUTE


def test_a_failure_repeats_the_first_line_of_the_error() -> None:
    _, (verdict,) = heard(defined(HOURLY), end(NOON + 5, error="ValueError('no')\n\nTraceback ..."))
    assert (verdict.state, verdict.reason) == (State.DOWN, "task.failed")
    assert verdict.detail == "the task failed: ValueError('no')"


def test_an_end_that_was_overtaken_by_another_says_nothing() -> None:
    pulse, _ = heard(defined(HOURLY), end(NOON + 10, "a", error="no"))
    after, verdict = heartbeat.take(pulse, end(NOON + 9, "b"), NOON + 11)
    assert verdict is None
    assert after.ended == NOON + 10


def test_a_start_heard_again_begins_nothing_anew() -> None:
    pulse, _ = heard(defined(NIGHTLY), start(THREE))
    assert heard(pulse, start(THREE + MINUTE))[0] == pulse


def test_what_a_gap_may_have_hidden_is_unknown_and_a_gap_at_noon_hides_nothing_at_three() -> None:
    def judged(gap: runs.Span) -> tuple[str, str]:
        _, (verdict,) = heartbeat.missed(defined(NIGHTLY), THREE + HOUR, THREE + HOUR, [gap])
        return verdict.state, verdict.detail

    assert judged((NOON, NOON + HOUR))[0] == State.DOWN
    assert judged((THREE - 29, THREE - 20))[0] == State.UNKNOWN
    assert judged((THREE + 20 * MINUTE + 1, inf))[0] == State.DOWN
    assert judged((0.0, inf)) == (State.UNKNOWN, "no events of cluster shop have been heard yet")
    assert judged((THREE, inf))[1] == "not all events of cluster shop were heard from 2026-06-02 03:00:00 CEST on"
    assert judged((THREE, THREE + 1))[1].endswith("CEST on until 2026-06-02 03:00:01 CEST")


def test_an_interval_is_unknown_in_the_period_of_the_gap_alone() -> None:
    pulse, _ = heard(defined(HOURLY), start(NOON))
    _, verdicts = heartbeat.missed(pulse, NOON + 3 * HOUR, NOON + 3 * HOUR, [(NOON + MINUTE, NOON + 2 * MINUTE)])
    assert [each.state for each in verdicts] == [State.UNKNOWN, State.DOWN]


def test_a_run_whose_end_a_gap_may_have_hidden_is_unknown_once_and_its_end_is_judged_when_it_comes() -> None:
    begun, _ = heard(defined(NIGHTLY), start(THREE))
    after, (verdict,) = heartbeat.missed(begun, THREE + HOUR, THREE + HOUR, [(THREE + MINUTE, THREE + 2 * MINUTE)])
    assert (verdict.state, verdict.reason, runs.due(after)) == (State.UNKNOWN, "task.unheard", None)
    end_of_it = end(THREE + 3 * HOUR, started=THREE)
    _, (ended,) = heard(after, *runs.in_order([end_of_it]))
    assert (ended.state, ended.duration) == (State.UP, 3 * HOUR)


def test_runs_are_bounded() -> None:
    pulse, _ = heard(defined(NIGHTLY), *(start(THREE + each / 100, str(each)) for each in range(300)))
    assert [run.id for run in pulse.runs] == [str(each) for each in range(200, 300)]
    pulse, _ = heard(defined(HOURLY), start(NOON, "old"), start(NOON + 2 * DAY, "new"))
    assert [run.id for run in pulse.runs] == ["new"]


def test_another_task_is_followed_from_nothing() -> None:
    begun, _ = heard(defined(NIGHTLY), start(THREE))
    other = Heartbeat(every=HOUR, grace=MINUTE, cluster="shop", task="other")
    after = heartbeat.follow(begun, check(), other, THREE + 5)
    assert (after.runs, after.expected) == ((), THREE + 5 + HOUR)


def test_a_check_that_is_resumed_expects_from_then_on() -> None:
    paused = heartbeat.follow(None, check(paused=True), NIGHTLY, NOON)
    assert heartbeat.due(paused) is None
    assert heartbeat.follow(paused, check(), NIGHTLY, THREE + MINUTE).expected == THREE + DAY


@pytest.mark.parametrize(
    ("night", "expected"),
    [  # 02:30 is skipped in spring, and comes twice in autumn
        (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_night_in_which_clocks_change_expects_one_run(night: datetime, expected: datetime) -> None:
    plan = Heartbeat(cron="30 2 * * *", timezone="Europe/Paris", grace=MINUTE, cluster="shop", task="report")
    _, verdicts = heartbeat.missed(defined(plan, night.timestamp()), night.timestamp() + DAY - HOUR, NOON)
    assert [each.due for each in verdicts] == [expected.timestamp() + MINUTE]


@settings(deadline=None, max_examples=60)
@given(
    plan=st.sampled_from([NIGHTLY, HOURLY]),
    steps=st.lists(
        st.tuples(st.floats(0, 6 * HOUR), st.sampled_from("abc"), st.sampled_from(["start", "success", "fail"])),
        max_size=12,
    ),
)
def test_rounds_come_in_order_and_nothing_that_is_due_is_left_behind(
    plan: Heartbeat, steps: list[tuple[float, str, str]]
) -> None:
    pulse, now, dues = defined(plan), NOON, []
    for wait, run, signal in steps:
        now = round(now + wait, 3)
        pulse, late = heartbeat.missed(pulse, now, now)
        due = heartbeat.due(pulse)
        assert due is not None
        assert due > now
        pulse, verdict = heartbeat.take(pulse, Ping(check="nightly", at=now, signal=signal, run=run), now)  # type: ignore[arg-type]  # a word of the test's own
        dues += [each.due for each in late] + ([verdict.due] if verdict else [])
    assert dues == sorted(dues)
