"""Lines of charts out of stored buckets."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core import buckets
from nightowl.core.cluster import charts
from nightowl.core.cluster.charts import Grid
from nightowl.core.cluster.figures import Figures
from nightowl.core.frame import Frame
from nightowl.core.series import Series

GRID = Grid(0.0, 100.0, 10.0)


def found(*series):
    """Series of (labels, [(time, value), ...]) as the store gives them."""
    made = {}
    for number, (labels, points) in enumerate(series):
        times, values = (np.array(each, float) for each in zip(*points, strict=True))
        frame = Frame(np.full(len(times), number), times, values)
        made[Series("m", tuple(sorted(labels.items())))] = buckets.of_samples(frame, GRID.every)
    return made


def test_a_rate_is_the_rise_a_second_of_all_series_together():
    steady = [(at, 5.0 * at) for at in range(10, 101, 10)]
    rates = charts.rate(found(({"q": "a"}, steady), ({"q": "b"}, steady)), GRID)
    assert math.isnan(rates[0])
    assert rates[1:].tolist() == pytest.approx([10.0] * 9)


def test_a_reset_counts_from_zero_and_a_series_that_begins_meanwhile_too():
    reset = found(({}, [(10, 100.0), (20, 110.0), (30, 4.0)]))
    assert charts.rate(reset, GRID)[:3].tolist()[1:] == pytest.approx([1.0, 0.4])
    late = found(({}, [(35, 0.0), (50, 7.0), (60, 7.0)]))
    assert charts.rate(late, GRID)[4:6].tolist() == pytest.approx([0.7, 0.0])


def test_what_a_new_counter_is_told_with_at_once_is_its_rise_and_what_an_old_one_had_is_not():
    assert charts.risen(found(({}, [(1, 0.0), (9, 4.0)])), GRID) == 4.0
    assert charts.risen(found(({}, [(9, 4.0), (60, 6.0)])), GRID) == 2.0


def test_a_counter_that_is_told_now_and_then_stands_still_and_without_a_word_nobody_watched():
    grid = Grid(0.0, 300.0, 10.0)
    rates = charts.rate(found(({}, [(10, 0.0), (20, 5.0), (90, 5.0), (250, 9.0)])), grid).tolist()
    assert rates[1:8] == pytest.approx([0.5, 0, 0, 0, 0, 0, 0])
    assert rates[8:18] == pytest.approx([0.0] * 10)
    assert all(math.isnan(each) for each in rates[18:24])
    assert rates[24:] == pytest.approx([0.4, 0, 0, 0, 0, 0])


def test_where_nothing_was_stored_there_is_a_gap():
    line = charts.line("x", GRID, charts.level(found(({}, [(10, 1.0), (40, 2.0)])), GRID))
    assert [value for _, value in line.points][:4] == [1.0, None, None, 2.0]


def told(*parts):
    """Narrow buckets of (bound, count, sum) that are told at 20 s, each from 0 on."""
    counts, sums = (found(*(({"le": str(part[0])}, [(10, 0.0), (20, part[at])]) for part in parts)) for at in (1, 2))
    return counts, sums


@pytest.mark.parametrize(("share", "expected"), [(0.5, 0.09), (0.75, 25.0), (0.99, 25.0)])
def test_a_quantile_is_the_mean_of_its_bucket(share, expected):
    histogram = told((0.1, 5.0, 0.45), (28.5, 5.0, 125.0))
    assert charts.quantile(*histogram, share, GRID)[1] == pytest.approx(expected)


@given(st.lists(st.floats(0.001, 2e6), min_size=1, max_size=60), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_right_to_a_fifth_and_never_beyond_what_was_seen(seconds, share):
    figures = Figures()
    cell = figures.cell("a", "w", "q", 1.0)
    for each in seconds:
        figures.observe_runtime(cell, each)
    tallies = cell.runtime.tallies.items()
    shown = charts.quantile(*told(*((bound, tally.count, tally.sum) for bound, tally in tallies)), share, GRID)[1]
    right = sorted(seconds)[math.ceil(share * len(seconds)) - 1]
    assert right / 1.2 <= shown <= right * 1.2
    assert min(seconds) * (1 - 1e-9) <= shown <= max(seconds) * (1 + 1e-9)


def test_a_quantile_of_nothing_is_not_known():
    assert np.isnan(charts.quantile({}, {}, 0.5, GRID)).all()
    still = found(({"le": "+Inf"}, [(10, 3.0), (20, 3.0)]))
    assert np.isnan(charts.quantile(still, still, 0.5, GRID)).all()


def test_what_rose_in_all():
    assert charts.risen(found(({}, [(10, 1.0), (90, 9.0)])), GRID) == 8.0
    assert charts.risen({}, GRID) == 0.0
