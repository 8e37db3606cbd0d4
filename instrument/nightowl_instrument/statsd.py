"""Lines of StatsD, in its plain form and in the dialects that know tags (https://github.com/statsd/statsd).

Names are those of celery-exporter's families, with a dot after the prefix: ``celery.task_received``. Where there are
no tags, what would be their values follows by dots: ``celery.task_received.TASK.QUEUE``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

COUNT, TIME, GAUGE = "c", "ms", "g"

_NOT_IN_PATHS = re.compile(r"[^A-Za-z0-9_-]")
_NOT_IN_TAGS = re.compile(r"[^A-Za-z0-9_./@-]")

_LONGEST = 200
"""Characters of one part of a name at most."""


class Series(NamedTuple):
    """What a value belongs to: a family, and labels that say of which task, queue or worker it is."""

    family: str
    labels: tuple[tuple[str, str], ...] = ()


class Entry(NamedTuple):
    """What was measured. ``value`` is milliseconds of a time; a count without one is 1."""

    series: Series
    kind: str = COUNT
    value: float | None = None


def lines(entries: Iterable[Entry], prefix: str, tags: str) -> list[bytes]:
    """Return the lines that tell of entries; what was counted more than once is one line."""
    counts: Counter[Series] = Counter()
    found = []
    for series, kind, value in entries:
        if kind == COUNT:
            counts[series] += 1 if value is None else int(value)
        else:
            found.append(line(series, kind, value or 0.0, prefix, tags))
    return [line(series, COUNT, count, prefix, tags) for series, count in counts.items()] + found


def line(series: Series, kind: str, value: float, prefix: str, tags: str) -> bytes:
    """Return one line, without what separates it from the next."""
    name, labels = prefix + series.family, series.labels
    told = f"{value:.3f}".rstrip("0").rstrip(".")
    if tags == "none":
        parts = [name, *(_NOT_IN_PATHS.sub("_", text)[:_LONGEST] or "_" for _, text in labels)]
        return f"{'.'.join(parts)}:{told}|{kind}".encode()
    pairs = [(key, _NOT_IN_TAGS.sub("_", text)[:_LONGEST] or "_") for key, text in labels]
    if tags == "dogstatsd":
        behind = "|#" + ",".join(f"{key}:{text}" for key, text in pairs) if pairs else ""
        return f"{name}:{told}|{kind}{behind}".encode()
    between = "," if tags == "influx" else ";"
    return f"{name}{''.join(f'{between}{key}={text}' for key, text in pairs)}:{told}|{kind}".encode()


def packets(found: Iterable[bytes], size: int) -> list[bytes]:
    """Join lines to packets of at most ``size`` bytes; a longer line is a packet by itself."""
    packed: list[bytes] = []
    gathered: list[bytes] = []
    length = 0
    for each in found:
        if gathered and length + len(each) + 1 > size:
            packed.append(b"\n".join(gathered))
            gathered, length = [], 0
        length += len(each) + bool(gathered)
        gathered.append(each)
    return [*packed, b"\n".join(gathered)] if gathered else packed
