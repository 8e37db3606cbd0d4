"""Samples in rows ``series,ts,value``: ``celery_queue_length{queue_name="mail"},1700000000,12``.

A series with several labels may be quoted as CSV quotes, or stand as it is. ``ts`` is Unix seconds or ISO 8601, UTC
where that names no zone. A first row that says ``series,ts,value`` is the head.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from nightowl.core.errors import Refused
from nightowl.core.points import Points, points
from nightowl.core.series import Series, parse

_HEAD = ["series", "ts", "value"]
_TELLING = 50_000
_MISTAKES = 20


def moment(text: str) -> float:
    """Read Unix seconds or ISO 8601.

    Raises:
        ValueError: it is neither.
    """
    try:
        seconds = float(text)
    except ValueError:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(seconds):
        raise ValueError(text)
    return seconds


def gathered(file: str, rows: Iterable[list[str]], tell: Callable[[], None] = lambda: None) -> dict[Series, Points]:
    """Return the samples of rows by series; ``tell`` is called now and then. NaN and infinities are missing samples.

    Raises:
        Refused: rows are malformed; all of them are named as those of ``file``, up to a bound.
    """
    names: dict[str, Series] = {}
    found: dict[Series, list[tuple[float, float]]] = {}
    mistakes = []
    for number, row in enumerate(rows, start=1):
        if number % _TELLING == 0:
            tell()
        if not row or (number == 1 and [cell.strip() for cell in row] == _HEAD):
            continue
        try:
            *parts, at, value = row
            name = ",".join(parts)
            if name not in names:
                names[name] = parse(name)
            found.setdefault(names[name], []).append((moment(at), float(value)))
        except ValueError:
            mistakes.append(f"{file}: line {number}: found {','.join(row)!r}, allowed: {_allowed(row)}")
    if mistakes:
        more = len(mistakes) - _MISTAKES
        raise Refused("\n".join([*mistakes[:_MISTAKES], *([f"and {more} lines more"] if more > 0 else [])]))
    return {series: points(samples) for series, samples in found.items()}


def _allowed(row: list[str]) -> str:
    """What a malformed row should have been."""
    if len(row) < 3:
        return "series,ts,value"
    *parts, at, value = row
    readers: list[tuple[str, Callable[[str], object], str]] = [
        (",".join(parts), parse, 'a series such as queue_length{queue="mail"}'),
        (at, moment, "a ts of Unix seconds, or such as 2026-11-29T03:00Z"),
        (value, float, "a value that is a number"),
    ]
    wanted = [allowed for text, read, allowed in readers if not _reads(read, text)]
    return f"series,ts,value with {', and '.join(wanted)}"


def _reads(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True
