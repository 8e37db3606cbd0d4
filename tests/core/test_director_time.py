"""Director time, as an actor learns it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.director_time import DirectorTime
from nightowl.core.lately import WINDOW

EPOCH = 1_700_000_000.0


@given(st.lists(st.floats(0.001, 3.0), min_size=1, max_size=20), st.floats(-1e6, 1e6))
def test_a_clock_that_is_off_does_not_matter(delays: list[float], steady_at_start: float) -> None:
    time = DirectorTime()
    for n, delay in enumerate(delays):
        time.hear(EPOCH + n, steady_at_start + n + delay)
    known = time.now(steady_at_start + 20, own=0.0)
    assert abs(known - (EPOCH + 20 - min(delays))) < 1e-3


def test_a_backlog_looks_old_as_soon_as_a_fresh_batch_is_seen() -> None:
    time = DirectorTime()
    time.hear(EPOCH - 3600, 100.0)
    assert not time.settled(100.0, 0.3)
    time.hear(EPOCH, 100.1)
    assert time.settled(100.4, 0.3)
    assert abs(time.now(100.1, own=0.0) - EPOCH) < 0.01


def test_a_director_whose_clock_stepped_back_is_believed_after_a_while() -> None:
    time = DirectorTime()
    time.hear(EPOCH, 0.0)
    for second in range(1, int(3 * WINDOW)):
        time.hear(EPOCH - 50 + second, float(second))
    assert abs(time.now(3 * WINDOW, own=0.0) - (EPOCH - 50 + 3 * WINDOW)) < 0.01


def test_without_a_word_from_the_director_the_own_clock_must_do() -> None:
    assert DirectorTime().now(5.0, own=EPOCH) == EPOCH
