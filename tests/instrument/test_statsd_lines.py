"""What is measured, as lines of StatsD in datagrams."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl_instrument.address import DIALECTS, ETHERNET, address
from nightowl_instrument.statsd import COUNT, GAUGE, TIME, Encoder, Item, Series, packets

LINE = {
    "none": r"celery\.[\w.-]+:[\d.]+\|(?:c|ms|g)",
    "dogstatsd": r"celery\.\w+:[\d.]+\|(?:c|ms|g)(?:\|#\w+:[^,|#:\n]+(?:,\w+:[^,|#:\n]+)*)?",
    "influx": r"celery\.\w+(?:,\w+=[^,|:=\n ]+)*:[\d.]+\|(?:c|ms|g)",
    "graphite": r"celery\.\w+(?:;\w+=[^;|:=\n ]+)*:[\d.]+\|(?:c|ms|g)",
}
LABELS = st.lists(st.tuples(st.sampled_from(["name", "queue_name"]), st.text()), max_size=2).map(tuple)
SERIES = [
    Series(family, ((label, text),)) for family in ("task_sent", "task_received") for label, text in (("name", "a"),)
]
KINDS = st.sampled_from([COUNT, TIME, GAUGE])
MADE = st.builds(Series, st.sampled_from(["task_sent", "task_received"]), LABELS, KINDS)
ITEMS = st.lists(st.one_of(MADE.filter(lambda made: made.kind == COUNT), st.tuples(MADE, st.floats(0, 1e9))))


@given(ITEMS, st.sampled_from(DIALECTS))
def test_whatever_names_hold_each_line_is_one_of_its_dialect(items: list[Item], tags: str) -> None:
    for line in Encoder("celery.", tags).lines(items):
        assert re.fullmatch(LINE[tags], line)


@given(st.lists(st.sampled_from(SERIES)), st.lists(st.floats(0, 1e6)))
def test_nothing_is_counted_twice_or_left_out(counted: list[Series], times: list[float]) -> None:
    timed = Series("task_runtime", (), TIME, counts=Series("task_succeeded"))
    found = Encoder("", "none").lines([*counted, *((timed, each) for each in times)])
    counts = {line.split(".")[0].split(":")[0]: int(line.split(":")[1].split("|")[0]) for line in found if "|c" in line}
    succeeded = {"task_succeeded": len(times)} if times else {}
    assert counts == Counter(each.family for each in counted) | Counter(succeeded)
    assert [float(line.split(":")[1].split("|")[0]) for line in found if "|ms" in line] == pytest.approx(
        times, abs=1e-3
    )


@given(st.lists(st.integers(1, 400).map(lambda size: "x" * size)), st.integers(1, 1500))
def test_packets_hold_all_lines_in_order_and_fit(given_lines: list[str], size: int) -> None:
    packed = packets(given_lines, size)
    assert [line for packet in packed for line in packet.decode().split("\n")] == given_lines
    for packet in packed:
        assert len(packet) <= size or b"\n" not in packet
    for one, next_one in pairwise(packed):
        assert len(one) + 1 + len(next_one.split(b"\n")[0]) > size


def test_the_names_are_those_of_celery_exporter_with_dots() -> None:
    labels = (("name", "shop.tasks.add"), ("queue_name", "mail/ü"))
    received = Series("task_received", labels)
    active = Series("worker_tasks_active", (("hostname", "celery@web-1"),), GAUGE)
    items = [received, received, (Series("task_runtime", labels, TIME), 12.5), (active, 2.0), received]
    assert Encoder("celery.", "none").lines(items) == [
        "celery.task_runtime.shop_tasks_add.mail__:12.500|ms",
        "celery.worker_tasks_active.celery_web-1:2.000|g",
        "celery.task_received.shop_tasks_add.mail__:3|c",
    ]
    assert Encoder("c.", "dogstatsd").lines(items)[-1] == "c.task_received:3|c|#name:shop.tasks.add,queue_name:mail/_"
    assert Encoder("c.", "influx").lines(items)[1] == "c.worker_tasks_active,hostname=celery@web-1:2.000|g"


def test_an_address_is_read_with_its_options() -> None:
    found = address("udp://127.0.0.1?tags=dogstatsd&prefix=shop.")
    assert (found.host, found.port, found.tags, found.prefix, found.size) == (
        "127.0.0.1", 8125, "dogstatsd", "shop.", ETHERNET,
    )  # fmt: skip
    assert address("unix:///run/dsd.sock", tags="none").path == "/run/dsd.sock"
    assert address("tcp://[::1]:9").host == "::1"


@pytest.mark.parametrize(
    "url",
    [
        *("", "127.0.0.1:8125", "http://h", "udp://", "unix://", "udp://h?tag=x", "udp://h?tags=x"),
        *("udp://h:0", "udp://h:99999", "tcp://h:port"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"statsd: .*allowed"):
        address(url)
