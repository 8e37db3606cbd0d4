"""Cut values into messages that every broker carries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

MAX_JOBS = 200
"""Jobs in a batch at most."""

MAX_BYTES = 44 * 1024
"""Encoded bytes in a message at most: SQL brokers keep it in a 64 KiB column, in base64 and with headers."""

T = TypeVar("T", bound=msgspec.Struct)

_encode = msgspec.msgpack.Encoder().encode


def weight(value: object) -> int:
    """Return how many bytes a value takes in a message."""
    return len(_encode(value))


def split(items: Iterable[T], *, most: int = MAX_JOBS, max_bytes: int = MAX_BYTES) -> Iterator[tuple[T, ...]]:
    """Yield runs within both bounds, in order; an item that is too large by itself goes alone."""
    run: list[T] = []
    size = 0
    for item in items:
        more = weight(item)
        if run and (len(run) >= most or size + more > max_bytes):
            yield tuple(run)
            run, size = [], 0
        run.append(item)
        size += more
    if run:
        yield tuple(run)
