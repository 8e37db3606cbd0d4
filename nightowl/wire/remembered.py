"""Make something of the configuration in force, once for each configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from nightowl.config import Configuration

T = TypeVar("T")


def remembered(current: Callable[[], Configuration], make: Callable[[Configuration], T]) -> Callable[[], T]:
    """Return a function that makes its result anew only when the configuration has been replaced."""
    made: list[tuple[Configuration, T]] = []

    def get() -> T:
        configuration = current()
        if not made or made[0][0] is not configuration:
            made[:] = [(configuration, make(configuration))]
        return made[0][1]

    return get
