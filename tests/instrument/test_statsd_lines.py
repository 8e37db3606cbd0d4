"""What is measured, as lines of StatsD in datagrams."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl_instrument.address import DIALECTS, ETHERNET, address
from nightowl_instrument.statsd import COUNT, GAUGE, TIME, Entry, Series, lines, packets

LINE = {
    "none": r"celery\.[\w.-]+:[\d.]+\|(?:c|ms|g)",
    "dogstatsd": r"celery\.\w+:[\d.]+\|(?:c|ms|g)(?:\|#\w+:[^,|#:\n]+(?:,\w+:[^,|#:\n]+)*)?",
    "influx": r"celery\.\w+(?:,\w+=[^,|:=\n ]+)*:[\d.]+\|(?:c|ms|g)",
    "graphite": r"celery\.\w+(?:;\w+=[^;|:=\n ]+)*:[\d.]+\|(?:c|ms|g)",
}
LABELS = st.lists(st.tuples(st.sampled_from(["name", "queue_name"]), st.text()), max_size=2).map(tuple)
SERIES = st.builds(Series, st.sampled_from(["task_sent", "task_received"]), LABELS)
ENTRIES = st.lists(
    st.one_of(
        st.builds(Entry, SERIES, st.just(COUNT), st.none()), st.builds(Entry, SERIES, st.just(TIME), st.floats(0, 1e9))
    )
)


@given(ENTRIES, st.sampled_from(DIALECTS))
def test_whatever_names_hold_each_line_is_one_of_its_dialect(entries: list[Entry], tags: str) -> None:
    for line in lines(entries, "celery.", tags):
        assert re.fullmatch(LINE[tags], line.decode("ascii"))


@given(ENTRIES)
def test_nothing_is_counted_twice_or_left_out(entries: list[Entry]) -> None:
    found = [line.decode() for line in lines(entries, "", "dogstatsd")]
    counted = sum(int(line.split(":", 1)[1].split("|")[0]) for line in found if "|c" in line)
    assert counted == sum(each.kind == COUNT for each in entries)
    assert sum("|ms" in line for line in found) == sum(each.kind == TIME for each in entries)


@given(st.lists(st.integers(1, 400).map(lambda size: b"x" * size)), st.integers(1, 1500))
def test_packets_hold_all_lines_in_order_and_fit(given_lines: list[bytes], size: int) -> None:
    packed = packets(given_lines, size)
    assert [line for packet in packed for line in packet.split(b"\n")] == given_lines
    for packet in packed:
        assert len(packet) <= size or b"\n" not in packet
    for one, next_one in pairwise(packed):
        assert len(one) + 1 + len(next_one.split(b"\n")[0]) > size


def test_the_names_are_those_of_celery_exporter_with_dots() -> None:
    labels = (("name", "shop.tasks.add"), ("queue_name", "mail/ü"))
    entries = [
        *[Entry(Series("task_received", labels))] * 3,
        Entry(Series("task_runtime", labels), TIME, 12.5),
        Entry(Series("worker_tasks_active", (("hostname", "celery@web-1"),)), GAUGE, 2),
    ]
    assert lines(entries, "celery.", "none") == [
        b"celery.task_received.shop_tasks_add.mail__:3|c",
        b"celery.task_runtime.shop_tasks_add.mail__:12.5|ms",
        b"celery.worker_tasks_active.celery_web-1:2|g",
    ]
    assert lines(entries, "c.", "dogstatsd")[0] == b"c.task_received:3|c|#name:shop.tasks.add,queue_name:mail/_"
    assert Counter(lines(entries, "c.", "influx"))[b"c.worker_tasks_active,hostname=celery@web-1:2|g"] == 1


def test_an_address_is_read_with_its_options() -> None:
    found = address("udp://127.0.0.1?tags=dogstatsd&prefix=shop.")
    assert (found.host, found.port, found.tags, found.prefix, found.size) == (
        "127.0.0.1", 8125, "dogstatsd", "shop.", ETHERNET,
    )  # fmt: skip
    assert address("unix:///run/dsd.sock", tags="none").path == "/run/dsd.sock"
    assert address("tcp://[::1]:9").host == "::1"


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8125", "http://h", "udp://", "unix://", "udp://h?tag=x", "udp://h?tags=x"]
)
def test_an_address_that_cannot_be_meant_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"statsd: .*allowed"):
        address(url)
