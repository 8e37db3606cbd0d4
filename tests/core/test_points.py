"""Windows of samples and what they say."""

import math

import pytest

from nightowl.core.points import NONE, Points, aggregate, deviation, points, rate


def test_a_window_is_left_open_and_right_closed():
    all_of_them = points([(1.0, 10.0), (2.0, 20.0), (3.0, 30.0)])
    assert all_of_them.window(1.0, 3.0) == Points([2.0, 3.0], [20.0, 30.0])


def test_samples_are_ordered_by_their_own_time_and_the_last_written_wins():
    assert points([(3.0, 1.0), (1.0, 2.0), (3.0, 4.0)]) == Points([1.0, 3.0], [2.0, 4.0])


def test_nan_and_infinities_are_missing_samples():
    assert points([(1.0, math.nan), (2.0, math.inf), (3.0, -math.inf)]) == Points([], [])


@pytest.mark.parametrize(
    ("how", "expected"),
    [("mean", 2.5), ("median", 2.0), ("last", 1.0), ("min", 1.0), ("max", 5.0), ("sum", 10.0), ("count", 4.0)],
)
def test_aggregates(how, expected):
    assert aggregate(how, points(enumerate([2.0, 5.0, 2.0, 1.0]))) == expected


def test_an_empty_window_has_no_figure_but_a_count():
    assert aggregate("mean", NONE) is None
    assert aggregate("count", NONE) == 0.0


def test_figures_too_large_for_a_float_are_infinite():
    huge = points(enumerate([1.5e308, 1.5e308, -1.5e308]))
    assert aggregate("sum", huge.window(-1, 1)) == math.inf
    assert aggregate("mean", huge.window(-1, 1)) == math.inf
    assert rate(points([(0.0, -1.5e308), (1.0, 1.5e308)])) == math.inf
    assert deviation(huge) > 1e308


def test_deviation_is_the_populations():
    assert deviation(points(enumerate([2.0, 4.0]))) == 1.0


def test_a_rate_is_the_increase_over_the_time_between_first_and_last():
    assert rate(points([(0.0, 100.0), (10.0, 130.0), (20.0, 150.0)])) == 2.5


def test_a_fall_of_a_counter_is_a_restart_from_zero():
    assert rate(points([(0.0, 100.0), (10.0, 5.0), (20.0, 15.0)])) == 0.75


def test_a_rate_needs_two_samples():
    assert rate(points([(0.0, 100.0)])) is None
