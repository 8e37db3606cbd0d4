"""An actor's clock, as far as its reports tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.lately import WINDOW
from nightowl.core.skew import NOISE, SETTLE, Skew, corrected
from nightowl.core.values import Attempt, Outcome, State

NOW = 1_790_000_000.0
DELAYS = st.lists(st.floats(0.0, 20.0), min_size=10, max_size=50)


def outcome(started: float) -> Outcome:
    attempt = Attempt(state=State.UP, started=started, duration=0.1)
    return Outcome(check="shop", due=NOW, location="london", state=State.UP, attempts=(attempt, attempt), kept=0)


@given(st.floats(-1e9, 1e9), DELAYS)
def test_the_skew_is_that_of_the_fastest_report(skew: float, delays: list[float]) -> None:
    estimate = Skew()
    for second, delay in enumerate(delays):
        estimate.hear(NOW + second + skew - delay, NOW + second)
    told = estimate.told(NOW + len(delays))
    assert told == pytest.approx(skew - min(delays), abs=1e-5)


def test_nothing_is_told_of_the_first_reports() -> None:
    estimate = Skew()
    estimate.hear(NOW - 3600, NOW)
    assert estimate.told(NOW + SETTLE - 0.1) is None


def test_reports_that_waited_do_not_look_like_a_slow_clock() -> None:
    """A broker was away for ten minutes: all that waited arrives at once."""
    estimate = Skew()
    for second in range(70):
        estimate.hear(NOW + second - 0.02, NOW + second)
    back = NOW + 670
    for second in range(70, 670):
        estimate.hear(NOW + second, back)
    assert estimate.told(back) == pytest.approx(-0.02, abs=1e-5)


def test_a_clock_that_was_set_right_is_seen_to_be_so() -> None:
    estimate = Skew()
    for second in range(int(3 * WINDOW)):
        estimate.hear(NOW + second + (40.0 if second < WINDOW else 0.0), NOW + second)
    assert estimate.told(NOW + 3 * WINDOW) == pytest.approx(0.0, abs=1e-5)


def test_moments_of_a_clock_that_is_wrong_are_corrected() -> None:
    assert [each.started for each in corrected(outcome(NOW + 40.5), 40.0).attempts] == [NOW + 0.5] * 2
    assert corrected(outcome(NOW), NOISE / 2) == outcome(NOW)
    assert corrected(outcome(NOW), None) == outcome(NOW)
