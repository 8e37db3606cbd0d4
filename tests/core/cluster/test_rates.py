"""Rates of queues, and when they are drained."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.cluster.rates import NEVER, QueueRates, drain_time
from nightowl.core.cluster.state import Queue


def after(*looks: tuple[float, int, int]) -> Queue:
    rates = QueueRates()
    for at, ready, received in looks:
        (queue,) = rates.told((Queue(name="q", ready=ready),), {"q": received}, at)
    return queue


def test_what_came_in_is_what_went_out_and_what_is_there_more() -> None:
    queue = after((0.0, 100, 0), (10.0, 120, 50))
    assert (queue.rate_in, queue.rate_out) == (7.0, 5.0)
    assert drain_time(queue) == NEVER


def test_a_queue_that_shrinks_is_drained_in_time() -> None:
    assert drain_time(after((0.0, 100, 0), (10.0, 50, 80))) == pytest.approx(10.0)


def test_a_queue_that_is_purged_has_no_negative_rate() -> None:
    queue = after((0.0, 1000, 0), (10.0, 0, 10))
    assert (queue.rate_in, queue.rate_out) == (0.0, 100.0)


def test_an_empty_queue_is_drained_and_one_of_which_nothing_is_known_is_not_told() -> None:
    assert drain_time(after((0.0, 0, 0))) == 0.0
    assert drain_time(after((0.0, 5, 0))) is None
    assert drain_time(Queue(name="q")) is None


def test_only_the_last_minute_counts() -> None:
    queue = after(*((float(at), 0, 1000 if at else 0) for at in range(0, 200, 10)))
    assert (queue.rate_in, queue.rate_out) == (0.0, 0.0)


def test_a_counter_or_a_clock_that_runs_backwards_begins_anew() -> None:
    assert after((0.0, 5, 100), (10.0, 5, 3)).rate_out is None
    assert after((10.0, 5, 1), (0.0, 5, 3)).rate_out is None


def test_rates_that_the_broker_tells_stay() -> None:
    rates = QueueRates()
    for at in (0.0, 10.0):
        (queue,) = rates.told((Queue(name="q", ready=3, rate_in=9.0, rate_out=8.0),), {}, at)
    assert (queue.rate_in, queue.rate_out) == (9.0, 8.0)


@given(st.lists(st.tuples(st.floats(0, 1000), st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=20))
def test_rates_are_never_negative_and_agree_with_the_depth(looks: list[tuple[float, int, int]]) -> None:
    queue = after(*looks)
    if queue.rate_in is not None and queue.rate_out is not None:
        assert queue.rate_in >= -1e-9
        assert queue.rate_out >= 0
    left = drain_time(queue)
    assert left is None or left >= 0
