"""Long lists in portions that fit into one statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

SIZE = 256
"""Terms of one statement: a power of two, and fewer than the 500 selects that SQLite puts together."""


def chunks(values: Iterable[T]) -> Iterator[Sequence[T]]:
    """The values in their order, so many at once."""
    left = iter(values)
    while chunk := list(islice(left, SIZE)):
        yield chunk


def padded(values: Sequence[T]) -> list[T]:
    """The values with the last one repeated up to a power of two, so that there are few statements to prepare."""
    return [*values, *[values[-1]] * ((1 << (len(values) - 1).bit_length()) - len(values))]
