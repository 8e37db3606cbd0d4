"""When rounds are due, and what an interruption does to them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.schedule import FRESH, STEP, Schedule, deadline, next_due, phase, resumed
from nightowl.core.values import Check, Target

names = st.text(min_size=1, max_size=20)
periods = st.sampled_from([5.0, 10.0, 30.0, 60.0, 3600.0])
moments = st.floats(1.7e9, 2e9)


@given(names, periods, moments)
def test_due_moments_are_one_period_apart_whoever_asks(name: str, every: float, now: float) -> None:
    first = next_due(name, every, now)
    assert now < first <= now + every + 0.002
    assert abs(next_due(name, every, first) - first - every) < 0.002
    assert next_due(name, every, first - 0.001) == first


def test_names_spread_over_the_period() -> None:
    phases = [phase(f"check-{n}", 60.0) for n in range(600)]
    per_tenth = [sum(n * 6 <= each < n * 6 + 6 for each in phases) for n in range(10)]
    assert min(per_tenth) > 30


def test_each_round_is_due_once() -> None:
    schedule = Schedule(1000.0)
    schedule.put("shop", 10.0)
    rounds = [each for step in range(1000) for each in schedule.pop(1000.0 + step * 0.1).rounds]
    assert len(rounds) == 10
    assert len({each.due for each in rounds}) == 10


def test_a_short_interruption_is_made_up_for_and_a_long_one_is_missed() -> None:
    schedule = Schedule(1000.0)
    for n in range(100):
        schedule.put(f"check-{n}", 10.0)
    assert schedule.pop(1000.0).missed == 0
    late = schedule.pop(1003.0)
    assert late.missed == 0
    assert all(1000.0 < each.due <= 1003.0 for each in late.rounds)
    back = schedule.pop(1603.0)
    assert all(1603.0 - FRESH <= each.due <= 1603.0 for each in back.rounds)
    assert len(back.rounds) + back.missed == 6000
    assert len(back.rounds) < 100


def test_a_successor_goes_on_where_rounds_were_scheduled_though_its_clock_is_a_little_behind() -> None:
    assert resumed(None, 1000.0) == 1000.0
    assert resumed(990.0, 1000.0) == 990.0
    assert resumed(1000.25, 1000.0) == 1000.25
    assert resumed(1000.0 + STEP, 1000.0) == 1000.0 + STEP
    schedule = Schedule(resumed(1000.25, 1000.0))
    for n in range(500):
        schedule.put(f"check-{n}", 5.0)
    assert all(each.due > 1000.25 for each in schedule.pop(1000.5).rounds)


def test_a_clock_that_was_set_back_does_not_stall_a_successor() -> None:
    assert resumed(4600.0, 1000.0) == 1000.0


def test_a_new_check_runs_soon_and_then_keeps_its_phase() -> None:
    schedule = Schedule(1000.0)
    schedule.put("shop", 3600.0, new_at=1000.0)
    first = schedule.pop(1005.0).rounds
    assert len(first) == 1
    later = [each for hour in range(1, 4) for each in schedule.pop(1005.0 + hour * 3600).rounds]
    assert all(abs(each.due % 3600 - phase("shop", 3600.0)) < 0.01 for each in later)


def test_a_first_round_is_left_out_where_the_regular_one_is_near() -> None:
    schedule = Schedule(1000.0)
    for n in range(200):
        schedule.put(f"check-{n}", 5.0 if n % 2 else 60.0, new_at=1000.0)
    dues: dict[str, list[float]] = {}
    for step in range(1300):
        for each in schedule.pop(1000.0 + step * 0.1).rounds:
            dues.setdefault(each.check, []).append(each.due)
    assert len(dues) == 200
    for n in range(200):
        times = dues[f"check-{n}"]
        assert times[0] <= 1015.0
        assert times[1] - times[0] >= (4.9 if n % 2 else 9.9)


def test_a_check_that_is_gone_is_not_due_and_one_that_comes_back_is_due_once() -> None:
    schedule = Schedule(1000.0)
    schedule.put("shop", 10.0)
    schedule.keep_only([])
    assert schedule.pop(1100.0).rounds == ()
    schedule.put("shop", 10.0)
    assert len(schedule.pop(1110.0).rounds) == 1


def test_a_changed_period_replaces_the_old_one() -> None:
    schedule = Schedule(1000.0)
    schedule.put("shop", 10.0)
    schedule.put("shop", 60.0)
    rounds = [each for step in range(120) for each in schedule.pop(1000.0 + step).rounds]
    assert len(rounds) == 2


def test_a_round_waits_for_its_attempts_but_ends_before_the_next() -> None:
    target = Target(kind="http", url="http://shop.example/", timeout=2.0)
    slow = Check(name="shop", target=target, locations=("london",), every=60.0, attempts=3, attempt_gap=1.0)
    assert deadline(slow, 1000.0) == 1000.0 + 3 * 2 + 2 * 1 + 5
    quick = Check(name="shop", target=target, locations=("london",), every=10.0)
    assert deadline(quick, 1000.0) == 1008.0
