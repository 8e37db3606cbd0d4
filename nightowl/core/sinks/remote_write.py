"""Prometheus' remote-write protocol 1.0 (https://prometheus.io/docs/specs/prw/remote_write_spec/), by hand.

A request is a protobuf message in a snappy block. The block has literals only: it is no smaller than the message, and
needs no library.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from math import isfinite

from nightowl.core.values import Sample

MOST = 2_000
"""Series of a request at most."""

HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}

_LITERAL = 2**16
_VARINT, _DOUBLE, _BYTES = 0, 1, 2


def requests(samples: Iterable[Sample], prefix: str = "") -> Iterator[tuple[bytes, int]]:
    """Yield bodies and how many samples each has; NaN and infinities are left out.

    Each series is there once and with one sample, so that later requests continue it in order.
    """
    waiting = (sample for sample in samples if isfinite(sample.value))
    while chunk := list(islice(waiting, MOST)):
        yield block(message(chunk, prefix)), len(chunk)


def message(samples: Sequence[Sample], prefix: str = "") -> bytes:
    """Return a WriteRequest: ``timeseries = 1 {labels = 1 {name = 1, value = 2}, samples = 2 {value = 1, time = 2}}``.

    Labels are sorted by name, ``__name__`` among them; empty ones are left out. Times are milliseconds.
    """
    known: dict[tuple[str, str], bytes] = {}
    series = []
    for sample in samples:
        pairs = sorted(
            [("__name__", prefix + sample.metric), *((name, value) for name, value in sample.labels if value)]
        )
        labels = b"".join(known.get(pair) or known.setdefault(pair, _label(*pair)) for pair in pairs)
        point = bytes([1 << 3 | _DOUBLE]) + struct.pack("<d", sample.value)
        point += bytes([2 << 3 | _VARINT]) + varint(round(sample.time * 1000))
        series.append(_field(1, labels + _field(2, point)))
    return b"".join(series)


def block(data: bytes) -> bytes:
    """Return a snappy block of literals (https://github.com/google/snappy/blob/main/format_description.txt)."""
    parts = [varint(len(data))]
    for start in range(0, len(data), _LITERAL):
        literal = data[start : start + _LITERAL]
        parts += [b"\xf4", struct.pack("<H", len(literal) - 1), literal]  # 0xf4: a literal, two bytes of length
    return b"".join(parts)


def varint(number: int) -> bytes:
    """Return a number in groups of seven bits, least first."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _label(name: str, value: str) -> bytes:
    return _field(1, _field(1, name.encode()) + _field(2, value.encode()))


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | _BYTES]) + varint(len(content)) + content
