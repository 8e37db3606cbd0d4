"""Samples in files of rows ``series,ts,value`` (CSV): ``celery_queue_length{queue_name="mail"},1700000000,12``.

A series with several labels may be quoted as CSV quotes, or stand as it is. ``ts`` is Unix seconds or ISO 8601, UTC
where that names no zone. A first row that says ``series,ts,value`` is the head.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

from nightowl.core.errors import Refused
from nightowl.core.points import Points, points
from nightowl.core.series import Series, parse

_HEAD = ["series", "ts", "value"]
_TELLING = 50_000
_MISTAKES = 20

Progress = Callable[[int, int], None]
"""Is told how many bytes of how many have been read."""


def read_samples(file: Path, progress: Progress = lambda _done, _total: None) -> dict[Series, Points]:
    """Return a file's samples by series. NaN and infinities are missing samples.

    Raises:
        Refused: the file cannot be read, or rows of it are malformed; all of them are named, up to a bound.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as raw, TextIOWrapper(raw, encoding="utf-8", newline="") as lines:
            return _gathered(file, csv.reader(lines), lambda: progress(raw.tell(), size))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{file}: cannot be read as CSV: {error}") from None


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


def _gathered(file: Path, rows: Iterator[list[str]], tell: Callable[[], None]) -> dict[Series, Points]:
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
            mistakes.append(f"{file}: line {number}: found {','.join(row)!r}, allowed: series,ts,value")
    if mistakes:
        more = len(mistakes) - _MISTAKES
        raise Refused("\n".join([*mistakes[:_MISTAKES], *([f"and {more} lines more"] if more > 0 else [])]))
    return {series: points(samples) for series, samples in found.items()}
