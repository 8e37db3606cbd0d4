from __future__ import annotations

from bisect import bisect_left
from math import inf, isclose

from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.sinks.timers import Spread, durations, spreads
from nightowl.core.values import Sample

BOUNDS = (0.1, 0.5, 1.0, 5.0, 30.0, inf)


def counted(values: list[float]) -> Spread:
    counts = [0.0] * len(BOUNDS)
    for value in values:
        counts[bisect_left(BOUNDS, value)] += 1
    return Spread("runtime", (), tuple(zip(BOUNDS, counts, strict=True)), sum(values))


def bucket(value: float) -> int:
    return bisect_left(BOUNDS, value - 1e-9)


VALUES = st.lists(st.floats(0.001, 100.0), min_size=1, max_size=200)


@given(VALUES, st.integers(1, 40))
def test_count_and_mean_come_out_right_whatever_was_counted(values, most) -> None:
    spread = counted(values)
    found = durations(spread, most)
    assert len(found) == min(most, len(values))
    assert isclose(sum(found) / len(found), sum(values) / len(values), rel_tol=1e-6, abs_tol=1e-9)
    assert all(value >= -1e-9 for value in found)


@given(VALUES)
def test_where_all_are_sent_each_lies_in_the_bucket_of_a_true_one(values) -> None:
    found = durations(counted(values), 1000)
    for value, true in zip(found, sorted(values), strict=True):
        place = bisect_left(BOUNDS, true)
        assert (0.0, *BOUNDS)[place] - 1e-6 <= value <= BOUNDS[place] + 1e-6


def test_a_sample_lies_as_all_of_them_do() -> None:
    values = [0.05] * 50 + [3.0] * 50
    found = durations(counted(values), 10)
    assert [bucket(value) for value in found] == [0] * 5 + [3] * 5


def test_what_is_rare_and_long_moves_no_percentile_below_it() -> None:
    values = [0.05] * 1000 + [25.0]
    found = durations(counted(values), 20)
    assert [bucket(value) for value in found[:19]] == [0] * 19
    assert isclose(sum(found) / 20, sum(values) / len(values))


def test_durations_beyond_the_last_bucket_make_up_the_sum() -> None:
    found = durations(counted([0.05, 100.0, 300.0]), 20)
    assert found[0] <= 0.1
    assert isclose(sum(found), 400.05)
    assert all(value >= 30.0 for value in found[1:])


def test_a_share_of_durations_is_at_least_one() -> None:
    assert len(durations(counted([0.2] * 100), 1000, 0.25)) == 25
    assert len(durations(counted([0.2]), 1000, 0.25)) == 1


def test_parts_of_a_histogram_are_put_together_and_the_rest_is_left() -> None:
    def part(name: str, value: float, **labels: str) -> Sample:
        return Sample(name, tuple(sorted({"name": "a", **labels}.items())), 1.0, value)

    rises = [part("runtime_bucket", 0.0, le="0.1"), part("runtime_bucket", 3.0, le="1.0")]
    rises += [part("runtime_bucket", 4.0, le="+Inf"), part("runtime_count", 4.0), part("runtime_sum", 9.0)]
    rises += [part("jobs_total", 2.0), part("other_count", 1.0)]
    [found], others = spreads(rises)
    assert found == Spread("runtime", (("name", "a"),), ((0.1, 0.0), (1.0, 3.0), (inf, 1.0)), 9.0)
    assert [each.metric for each in others] == ["jobs_total", "other_count"]
    assert min(durations(found, 20)) > 0.1


def test_a_histogram_that_did_not_rise_is_no_timer() -> None:
    assert spreads([Sample("runtime_bucket", (("le", "+Inf"),), 1.0, 0.0)]) == ([], [])
