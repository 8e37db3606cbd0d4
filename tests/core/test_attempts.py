"""Which attempt comes next, and which one is kept."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.attempts import kept, next_attempt, outcome
from nightowl.core.values import Attempt, Job, State, Target


def attempt(state: State, duration: float = 0.1) -> Attempt:
    return Attempt(state=state, started=0.0, duration=duration)


def job(**keys: Any) -> Job:
    target = Target(kind="http", url="http://shop.example/", timeout=2.0)
    return Job(**({"check": "shop", "due": 100.0, "deadline": 110.0, "target": target} | keys))


UP, SLOW, DOWN, OWN = attempt(State.UP, 0.5), attempt(State.UP, 0.9), attempt(State.DOWN, 0.01), attempt(State.UNKNOWN)


def test_all_attempts_are_made_even_when_the_first_is_good() -> None:
    assert next_attempt(job(), [], 100.0) == 0.0
    assert next_attempt(job(), [UP, UP], 101.0) == 0.0
    assert next_attempt(job(), [UP, UP, UP], 101.0) is None


def test_attempts_when_failed_stop_at_the_first_good_one() -> None:
    assert next_attempt(job(attempts_when="failed"), [DOWN], 101.0) == 0.0
    assert next_attempt(job(attempts_when="failed"), [DOWN, UP], 101.0) is None


def test_the_gap_comes_between_attempts_only() -> None:
    assert next_attempt(job(attempt_gap=1.5), [], 100.0) == 0.0
    assert next_attempt(job(attempt_gap=1.5), [DOWN], 101.0) == 1.5


def test_an_attempt_that_cannot_use_its_whole_timeout_is_not_made() -> None:
    assert next_attempt(job(), [DOWN], 108.0) == 0.0
    assert next_attempt(job(), [DOWN], 108.1) is None
    assert next_attempt(job(attempt_gap=1.0), [DOWN], 107.5) is None


def test_a_fast_failure_is_never_kept_while_a_good_attempt_exists() -> None:
    assert kept([DOWN, SLOW, UP]) == 2
    assert outcome(job(), "london", [DOWN, SLOW, UP]).state is State.UP


def test_a_fault_of_our_own_is_no_vote_but_a_failure_beside_it_is() -> None:
    assert outcome(job(), "london", [OWN, OWN]).state is State.UNKNOWN
    assert outcome(job(), "london", [DOWN, OWN]).state is State.DOWN
    assert outcome(job(), "london", []).state is State.UNKNOWN


@given(st.lists(st.builds(attempt, st.sampled_from(State), st.floats(0, 10)), max_size=6))
def test_the_kept_attempt_is_the_fastest_good_one(made: list[Attempt]) -> None:
    index = kept(made)
    good = [each for each in made if each.good]
    if good:
        assert index is not None
        assert made[index].good
        assert made[index].duration == min(each.duration for each in good)
    elif made:
        assert index is not None
    else:
        assert index is None
