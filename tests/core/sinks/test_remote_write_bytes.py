from __future__ import annotations

import struct
from collections.abc import Iterator
from math import inf, nan

from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.series import labels
from nightowl.core.sinks.remote_write import MOST, block, message, requests, varint
from nightowl.core.values import Sample

PAIRS = st.dictionaries(st.sampled_from(["Zone", "check", "location", "_x"]), st.text())
SAMPLES = st.lists(
    st.builds(
        Sample,
        st.sampled_from(["check_up", "jobs_total"]),
        PAIRS.map(lambda pairs: labels(pairs.items())),
        st.floats(1.0e9, 2.0e9),
        st.floats(allow_nan=False, allow_infinity=False),
    )
)


@given(SAMPLES)
def test_a_message_gives_back_what_it_was_made_of(samples) -> None:
    found = list(read_message(message(samples, "owl_")))
    assert found == [
        (
            {"__name__": f"owl_{each.metric}"} | {name: value for name, value in each.labels if value},
            each.value,
            round(each.time * 1000),
        )
        for each in samples
    ]


@given(SAMPLES)
def test_labels_are_sorted_by_name(samples) -> None:
    for number, content in fields(message(samples)):
        assert number == 1
        names = [dict(fields(inner))[1].decode() for field, inner in fields(content) if field == 1]
        assert names == sorted(names)


@given(st.binary(max_size=200_000))
def test_a_block_gives_back_what_it_was_made_of(data) -> None:
    assert unpacked(block(data)) == data


def test_requests_are_bounded_and_leave_out_what_is_no_number() -> None:
    samples = [Sample("x", (("n", str(number)),), 1.0, 1.0) for number in range(MOST + 5)]
    found = list(requests([*samples, Sample("x", (), 1.0, nan), Sample("x", (), 1.0, inf)]))
    assert [count for _, count in found] == [MOST, 5]
    assert [len(list(read_message(unpacked(body)))) for body, _ in found] == [MOST, 5]


@given(st.integers(0, 2**63))
def test_numbers_are_read_back(number) -> None:
    assert read_varint(varint(number), 0) == (number, len(varint(number)))


def read_message(data: bytes) -> Iterator[tuple[dict[str, str], float, int]]:
    for _, content in fields(data):
        parts = list(fields(content))
        pairs = [dict(fields(inner)) for field, inner in parts if field == 1]
        [point] = [dict(fields(inner)) for field, inner in parts if field == 2]
        yield {pair[1].decode(): pair[2].decode() for pair in pairs}, point[1], point[2]


def fields(data: bytes) -> Iterator[tuple[int, bytes | float | int]]:
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        if key & 7 == 0:
            value, at = read_varint(data, at)
            yield key >> 3, value
        elif key & 7 == 1:
            yield key >> 3, struct.unpack("<d", data[at : at + 8])[0]
            at += 8
        else:
            assert key & 7 == 2
            length, at = read_varint(data, at)
            yield key >> 3, data[at : at + length]
            at += length
    assert at == len(data)


def unpacked(data: bytes) -> bytes:
    """Read a snappy block of literals, as the format's description has it."""
    length, at = read_varint(data, 0)
    found = b""
    while at < len(data):
        tag = data[at]
        assert tag & 3 == 0, "a literal"
        size, at = tag >> 2, at + 1
        if size >= 60:
            width = size - 59
            size, at = int.from_bytes(data[at : at + width], "little"), at + width
        found += data[at : at + size + 1]
        at += size + 1
    assert len(found) == length
    return found


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    number, shift = 0, 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at
