"""Series in a short notation, as Prometheus' unit tests have them: ``0x3 10+5x4 _ 7``.

``7`` is a value and ``_`` a missing one. ``7x3`` stands for itself and three repeats; ``10+5x4`` for 10 and four more,
each 5 greater; ``10-5x4`` likewise, each 5 less; ``_x3`` for three missing ones.
(https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series)
"""

from __future__ import annotations

import math
import re

LONGEST = 100_000
"""Values of a series at most."""

_NUMBER = r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_PART = re.compile(rf"(?:(?P<missing>_)|(?P<value>{_NUMBER})(?P<step>[+-]\d+(?:\.\d+)?)?)(?:x(?P<times>\d{{1,6}}))?")


def values(text: str) -> list[float | None]:
    """Read a series, one value a step; None is a missing one.

    Raises:
        ValueError: it is not in the notation, or has more than ``LONGEST`` values; the message names the part.
    """
    found: list[float | None] = []
    for part in text.split():
        read = _PART.fullmatch(part)
        if read is None or (read["step"] and not read["times"]):
            raise ValueError(f"{part!r} is no value such as 7, 7x3, 10+5x4, _ or _x3")
        times = int(read["times"] or 0)
        if len(found) + times >= LONGEST:
            raise ValueError(f"{part!r} makes more than {LONGEST} values")
        found += [None] * max(times, 1) if read["missing"] else _run(read["value"], read["step"], times)
    return found


def _run(value: str, step: str | None, times: int) -> list[float | None]:
    start, more = float(value), float(step or 0)
    if not math.isfinite(start):
        raise ValueError(f"{value!r} is too large")
    return [start + more * number for number in range(times + 1)]
