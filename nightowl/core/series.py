"""Names of series: a metric and its labels, as Prometheus writes them: ``celery_queue_length{queue_name="mail"}``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

Labels = tuple[tuple[str, str], ...]
"""Sorted pairs of name and value."""

MOST_SERIES = 500_000
"""Series that a store may know unless told otherwise. A process that writes or judges all of them holds their names in
about 500 MB; and labels that never come twice, which is what usually makes so many, are found while that still fits."""

_LABEL = re.compile(r'\s*([A-Za-z_][\w.-]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|$)')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"\\": "\\", '"': '"', "n": "\n"}


class Series(NamedTuple):
    """A metric and its labels."""

    metric: str
    labels: Labels = ()

    def __str__(self) -> str:
        """As Prometheus writes it; without labels the metric alone."""
        inner = ",".join(f'{name}="{_escape(value)}"' for name, value in self.labels)
        return f"{self.metric}{{{inner}}}" if inner else self.metric


def parse(text: str) -> Series:
    """Read a series as ``str`` writes it.

    Raises:
        ValueError: it is none.
    """
    metric, brace, inner = text.strip().partition("{")
    pairs = _pairs(inner[:-1]) if brace and inner.endswith("}") else None if brace else []
    if not metric or pairs is None:
        raise ValueError(f"{text!r} names no series")
    return Series(metric.strip(), labels(pairs))


def labels(pairs: Iterable[tuple[str, str]]) -> Labels:
    """Sort labels by name; of two with one name the last counts."""
    return tuple(sorted(dict(pairs).items()))


def selects(metric: str, where: Mapping[str, str], series: Series) -> bool:
    """Whether a series is one of a metric and carries the labels of ``where``, whose values are shell patterns."""
    if series.metric != metric:
        return False
    carried = dict(series.labels)
    return all(name in carried and fnmatchcase(carried[name], wanted) for name, wanted in where.items())


def _pairs(inner: str) -> list[tuple[str, str]] | None:
    """What stands between the braces (None: no labels)."""
    found = []
    at = 0
    while at < len(inner):
        pair = _LABEL.match(inner, at)
        if pair is None:
            return None
        found.append((pair[1], _ESCAPE.sub(lambda escape: _ESCAPED.get(escape[1], escape[0]), pair[2])))
        at = pair.end()
    return found


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
