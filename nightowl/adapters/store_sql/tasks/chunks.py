"""Long lists in portions that fit into one statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

SIZE = 500


def chunks(values: Iterable[T]) -> Iterator[Sequence[T]]:
    """The values in their order, up to 500 at once."""
    left = iter(values)
    while chunk := list(islice(left, SIZE)):
        yield chunk
