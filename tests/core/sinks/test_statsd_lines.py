from __future__ import annotations

import re
from itertools import pairwise
from math import inf, isclose, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.series import labels
from nightowl.core.sinks.datagrams import packed
from nightowl.core.sinks.statsd import Language, Writer
from nightowl.core.sinks.timers import Spread
from nightowl.core.values import Sample

QUEUE = (("cluster", "shop"), ("queue_name", "emails"))
LINE = re.compile(
    r"(?P<name>[^:|]+):(?P<value>-?[0-9]+(\.[0-9]+)?)\|(?P<type>c|g|ms)(\|@(?P<rate>[0-9.]+))?(?P<rest>.*)"
)


def sample(value: float, metric: str = "celery_queue_length", pairs=QUEUE) -> Sample:
    return Sample(metric, pairs, 1000.0, value)


@pytest.mark.parametrize(
    ("dialect", "line"),
    [
        ("plain", "nightowl.shop.celery_queue_length.emails:4|g"),
        ("dogstatsd", "nightowl.celery_queue_length:4|g|#cluster:shop,queue_name:emails"),
        ("influx", "nightowl.celery_queue_length,cluster=shop,queue_name=emails:4|g"),
        ("graphite", "nightowl.celery_queue_length;cluster=shop;queue_name=emails:4|g"),
    ],
)
def test_each_dialect_writes_labels_in_its_way(dialect, line) -> None:
    assert list(Writer(Language(dialect=dialect)).gauges([sample(4.0)])) == [line]


def test_a_negative_gauge_is_set_by_way_of_zero_but_for_datadog() -> None:
    assert list(Writer(Language()).gauges([sample(-4.5)])) == [
        "nightowl.shop.celery_queue_length.emails:0|g\nnightowl.shop.celery_queue_length.emails:-4.5|g"
    ]
    [line] = Writer(Language(dialect="dogstatsd")).gauges([sample(-4.5)])
    assert line.startswith("nightowl.celery_queue_length:-4.5|g|#")


def test_what_is_no_number_is_left_out() -> None:
    assert list(Writer(Language()).gauges([sample(nan), sample(inf)])) == []


def test_counters_that_did_not_rise_are_not_sent() -> None:
    found = Writer(Language()).counts([sample(0.0, "jobs_total"), sample(3.0, "jobs_total")])
    assert list(found) == ["nightowl.shop.jobs_total.emails:3|c"]


def test_timers_are_milliseconds_with_the_rate_that_makes_up_for_what_is_left_out() -> None:
    spread = Spread("celery_task_runtime", QUEUE, ((1.0, 100.0), (inf, 0.0)), 50.0)
    lines = list(Writer(Language(values=4)).timers([spread]))
    found = [LINE.fullmatch(line) for line in lines]
    assert [each["rate"] for each in found] == ["0.04"] * 4
    assert isclose(sum(float(each["value"]) for each in found) / 4, 500.0)
    [line] = Writer(Language()).timers([Spread("x", (), ((1.0, 1.0), (inf, 0.0)), 0.25)])
    assert line == "nightowl.x:250|ms"


@given(
    st.sampled_from(["plain", "dogstatsd", "influx", "graphite"]),
    st.dictionaries(st.sampled_from(["cluster", "name"]), st.text()),
    st.floats(allow_nan=True, allow_infinity=True),
)
def test_every_line_is_one_that_receivers_read(dialect, pairs, value) -> None:
    writer = Writer(Language(dialect=dialect))
    for text in writer.gauges([sample(value, "x", labels(pairs.items()))]):
        for line in text.split("\n"):
            found = LINE.fullmatch(line)
            assert found, line
            assert found["value"] == "0" or isclose(float(found["value"]), value, rel_tol=1e-9, abs_tol=1e-11)


@given(
    st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1)), st.integers(1, 60)
)
def test_datagrams_hold_whole_lines_in_their_order_and_no_more_than_fit(lines, most) -> None:
    found = list(packed(lines, most))
    assert [line for each in found for line in each.decode().split("\n")] == lines
    assert all(len(each) <= most or b"\n" not in each for each in found)
    for one, other in pairwise(found):
        assert len(one) + 1 + len(other.split(b"\n")[0]) > most
