"""Lines of charts out of stored buckets."""

import math

import numpy as np
import pytest

from nightowl.core import buckets
from nightowl.core.cluster import charts
from nightowl.core.cluster.charts import Grid
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
    late = found(({}, [(50, 7.0), (60, 7.0)]))
    assert charts.rate(late, GRID)[4] == pytest.approx(0.7)


def test_where_nothing_was_stored_there_is_a_gap():
    line = charts.line("x", GRID, charts.level(found(({}, [(10, 1.0), (40, 2.0)])), GRID))
    assert [value for _, value in line.points][:4] == [1.0, None, None, 2.0]


@pytest.mark.parametrize(("share", "expected"), [(0.5, 0.1), (0.75, 0.55), (0.99, 1.0)])
def test_quantiles_are_interpolated_as_prometheus_does(share, expected):
    counts = {"0.1": 5.0, "1": 10.0, "+Inf": 10.0} if share < 0.99 else {"0.1": 5.0, "1": 5.0, "+Inf": 10.0}
    histogram = found(*(({"le": le}, [(10, 0.0), (20, count)]) for le, count in counts.items()))
    assert charts.quantile(histogram, share, GRID)[1] == pytest.approx(expected)
    assert charts.whole_quantile(histogram, share, GRID) == pytest.approx(expected)


def test_a_quantile_of_nothing_is_not_known():
    assert charts.whole_quantile({}, 0.5, GRID) is None
    assert np.isnan(charts.quantile({}, 0.5, GRID)).all()
    still = found(({"le": "+Inf"}, [(10, 3.0), (20, 3.0)]))
    assert charts.whole_quantile(still, 0.5, GRID) is None


def test_what_rose_in_all():
    assert charts.risen(found(({}, [(10, 1.0), (90, 9.0)])), GRID) == 8.0
    assert charts.risen({}, GRID) == 0.0
