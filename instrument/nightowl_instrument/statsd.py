"""Lines of StatsD, in its plain form and in the dialects that know tags (https://github.com/statsd/statsd).

Names are those of celery-exporter's families, with a dot after the prefix: ``celery.task_received``. Where there are
no tags, what would be their values follows by dots: ``celery.task_received.TASK.QUEUE``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Union

COUNT, TIME, GAUGE = "c", "ms", "g"

_NOT_IN_PATHS = re.compile(r"[^A-Za-z0-9_-]")
_NOT_IN_TAGS = re.compile(r"[^A-Za-z0-9_./@-]")

MOST = 20_000
"""Series that are remembered."""

_LONGEST = 200
"""Characters of one part of a name at most."""


class Series:
    """What values belong to: a family, labels that say of which task, queue or worker it is, and the kind of values.

    Each is made once and known by its identity, so that telling two apart costs nothing. Each value of one also counts
    ``counts``, where that is given, so that a task puts one item and not two.
    """

    __slots__ = ("counts", "family", "kind", "labels")

    def __init__(
        self,
        family: str,
        labels: tuple[tuple[str, str], ...] = (),
        kind: str = COUNT,
        counts: Series | None = None,
    ) -> None:
        self.counts = counts
        self.family = family
        self.labels = labels
        self.kind = kind


Item = Union[Series, tuple[Series, float]]
"""What was measured: a series that counts one more, or one and its value, which is milliseconds of a time."""


class Encoder:
    """Writes lines with one prefix, in one dialect. What is the same in all lines of a series is written once."""

    def __init__(self, prefix: str, tags: str) -> None:
        self._prefix = prefix
        self._tags = tags
        self._frames: dict[Series, tuple[str, str]] = {}

    def lines(self, items: Iterable[Item]) -> list[str]:
        """Return the lines that tell of items; what was counted more than once is one line."""
        counts: dict[Series, float] = {}
        found = []
        for item in items:
            series, value = (item, 1.0) if item.__class__ is Series else item  # type: ignore[misc]
            if series.kind == COUNT:
                counts[series] = counts.get(series, 0) + value
            else:
                if series.counts is not None:
                    counts[series.counts] = counts.get(series.counts, 0) + 1
                head, tail = self._frame(series)
                found.append(f"{head}{value:.3f}{tail}")
        for series, count in counts.items():
            head, tail = self._frame(series)
            found.append(f"{head}{count:.0f}{tail}")
        return found

    def _frame(self, series: Series) -> tuple[str, str]:
        """What stands before and behind a series' value."""
        found = self._frames.get(series)
        if found is None:
            if len(self._frames) >= MOST:
                self._frames.clear()
            found = self._frames[series] = frame(series, self._prefix, self._tags)
        return found


def frame(series: Series, prefix: str, tags: str) -> tuple[str, str]:
    """Return what stands before and behind the value in a line of a series."""
    name, labels, kind = prefix + series.family, series.labels, series.kind
    if tags == "none":
        parts = [name, *(_NOT_IN_PATHS.sub("_", text)[:_LONGEST] or "_" for _, text in labels)]
        return f"{'.'.join(parts)}:", f"|{kind}"
    pairs = [(key, _NOT_IN_TAGS.sub("_", text)[:_LONGEST] or "_") for key, text in labels]
    if tags == "dogstatsd":
        behind = "|#" + ",".join(f"{key}:{text}" for key, text in pairs) if pairs else ""
        return f"{name}:", f"|{kind}{behind}"
    between = "," if tags == "influx" else ";"
    return f"{name}{''.join(f'{between}{key}={text}' for key, text in pairs)}:", f"|{kind}"


def packets(found: Iterable[str], size: int) -> list[bytes]:
    """Join lines to packets of at most ``size`` bytes; a longer line is a packet by itself."""
    packed: list[bytes] = []
    gathered: list[str] = []
    length = -1
    for each in found:
        length += len(each) + 1
        if length > size and gathered:
            packed.append("\n".join(gathered).encode())
            gathered, length = [], len(each)
        gathered.append(each)
    return [*packed, "\n".join(gathered).encode()] if gathered else packed
