"""Histograms of seconds in narrow buckets."""

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.cluster.histogram import Histogram, narrow, observe

SECONDS = st.lists(st.floats(0.0, 1e9), max_size=40)
BOUNDS = st.lists(st.floats(0.001, 1e4), max_size=8, unique=True).map(sorted)


@given(SECONDS, BOUNDS)
def test_wide_buckets_are_exact_whatever_their_bounds(seconds, bounds):
    histogram, among = Histogram(), narrow(bounds)
    for each in seconds:
        observe(histogram, among, each)
    wide = [0] * (len(bounds) + 1)
    for each in seconds:
        wide[bisect_left(bounds, each)] += 1
    assert histogram.counts(bounds) == [sum(wide[: at + 1]) for at in range(len(wide))]
    assert histogram.sum == pytest.approx(sum(seconds))


@given(SECONDS, SECONDS)
def test_added_up_two_count_what_both_did(one, other):
    first, second, whole, among = Histogram(), Histogram(), Histogram(), narrow((0.5, 10.0))
    for into, seconds in ((first, one), (second, other), (whole, one + other)):
        for each in seconds:
            observe(into, among, each)
    first.add(second)
    assert first.counts(among[:-1]) == whole.counts(among[:-1])
    assert first.sum == pytest.approx(whole.sum)
