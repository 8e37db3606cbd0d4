from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.rule import STEP
from nightowl.core.sinks.turns import LATE, next_turn

NOWS = st.floats(1.5e9, 2e9)


@given(NOWS, st.floats(1.0, 3600.0))
def test_the_next_turn_comes_after_now_and_within_the_time_between_two(now: float, every: float) -> None:
    assert 0.0 < next_turn(now, every) - now <= every + 1e-6


@given(NOWS, st.integers(1, 360))
def test_a_turn_among_steps_comes_when_the_step_is_stored(now: float, steps: int) -> None:
    assert next_turn(now, steps * STEP) % STEP == LATE


def test_turns_follow_one_another() -> None:
    turns = [1_700_000_000.0]
    for _ in range(3):
        turns.append(next_turn(turns[-1], 10.0))
    assert turns[1:] == [1_700_000_001.0, 1_700_000_011.0, 1_700_000_021.0]
