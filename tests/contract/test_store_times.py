"""Moments of rounds as milliseconds."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from nightowl.adapters.store_sql.times import from_ms, to_ms

milliseconds = st.integers(-(10**13), 10**13)


@given(milliseconds)
def test_a_due_moment_comes_back_as_the_same_float(number: int) -> None:
    due = round(number / 1000, 3)
    assert to_ms(due) == number
    assert from_ms(to_ms(due)) == due


@given(milliseconds, st.floats(-(10.0**10), 10.0**10))
def test_milliseconds_compare_as_the_moments_do(number: int, moment: float) -> None:
    due = from_ms(number)
    if abs(due - moment) > 1e-5:
        assert (number > to_ms(moment)) == (due > moment)


def test_ever_and_never_are_far_away() -> None:
    assert to_ms(math.inf) > to_ms(10.0**11)
    assert to_ms(-math.inf) < to_ms(-(10.0**11))
