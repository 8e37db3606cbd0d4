from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.sinks.deltas import KEPT, Deltas
from nightowl.core.values import Sample


def counter(value: float, at: float = 1000.0, *, name: str = "a", cluster: str = "shop") -> Sample:
    return Sample("jobs_total", (("cluster", cluster), ("name", name)), at, value)


def rises(deltas: Deltas, *samples: Sample) -> list[float]:
    found = [each.value for each in deltas.of(samples)]
    deltas.taken(samples)
    return found


def test_the_first_snapshot_of_a_cluster_says_nothing_of_how_much_is_new() -> None:
    deltas = Deltas()
    assert rises(deltas, counter(100.0)) == [0.0]
    assert rises(deltas, counter(103.0)) == [3.0]
    assert rises(deltas, counter(103.0), counter(50.0, cluster="other")) == [0.0, 0.0]


def test_a_series_that_is_new_among_others_counts_whole() -> None:
    deltas = Deltas()
    rises(deltas, counter(100.0))
    assert rises(deltas, counter(100.0), counter(2.0, name="b")) == [0.0, 2.0]


def test_a_counter_that_went_backwards_began_anew() -> None:
    deltas = Deltas()
    rises(deltas, counter(100.0))
    assert rises(deltas, counter(4.0)) == [4.0]


def test_a_receiver_that_was_away_gets_the_whole_difference() -> None:
    deltas = Deltas()
    rises(deltas, counter(100.0))
    assert [each.value for each in deltas.of([counter(103.0)])] == [3.0]
    assert [each.value for each in deltas.of([counter(110.0)])] == [10.0]


def test_a_counter_that_is_gone_for_a_while_is_still_known_and_not_for_ever() -> None:
    deltas = Deltas()
    rises(deltas, counter(100.0), counter(5.0, name="b"))
    rises(deltas, counter(100.0, 1000.0 + 600.0))
    assert rises(deltas, counter(100.0, 2000.0), counter(6.0, 2000.0, name="b")) == [0.0, 1.0]
    rises(deltas, counter(100.0, 2000.0 + KEPT + 1.0))
    assert rises(deltas, counter(100.0, 2000.0 + KEPT + 2.0), counter(7.0, 2000.0 + KEPT + 2.0, name="b"))[1] == 7.0


def test_gauges_are_left_out() -> None:
    assert rises(Deltas(), Sample("queue_length", (), 1.0, 4.0)) == []


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans())))
def test_whatever_was_not_taken_is_told_later(steps) -> None:
    deltas, value, told = Deltas(), 100.0, 0.0
    rises(deltas, counter(value))
    for rise, taken in [*steps, (0, True)]:
        value += rise
        found = [each.value for each in deltas.of([counter(value)])]
        if taken:
            deltas.taken([counter(value)])
            told += sum(found)
    assert told == value - 100.0
