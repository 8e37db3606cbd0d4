"""Series as Graphite and StatsD name them: dotted paths by a template, or names with tags."""

from __future__ import annotations

import re
from collections.abc import Callable

from nightowl.core.series import Labels

DEFAULT = "{prefix}.{cluster}.{metric}.{labels}"
"""The template of paths: ``nightowl.fleet.celery_queue_length.emails``, ``nightowl.check_up.shop.paris``."""

ORDER = (
    "name",
    "queue_name",
    "hostname",
    "worker",
    "exception",
    "check",
    "location",
    "phase",
    "actor",
    "queue",
    "state",
    "verdict",
    "reason",
    "type",
    "sink",
    "hook",
)
"""The labels of ``{labels}`` in their order; others follow by name, and ``le`` is last."""

LONGEST = 200
"""Characters of one part of a path: with carbon it is the name of a folder or a file."""

MOST = 100_000
"""Names that are remembered at most."""

_PLACE = re.compile(r"\{(\w+)\}", re.ASCII)
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_UNSAFE_METRIC = re.compile(r"[^A-Za-z0-9_.-]")
_UNSAFE_TAG = re.compile(r"[^A-Za-z0-9_.-]")
_UNSAFE_VALUE = re.compile(r"[^A-Za-z0-9_.@/-]")

Name = Callable[[str, Labels], str]
"""Makes the path of a metric with labels."""


def safe(text: str) -> str:
    """Return a text as one part of a path: what else than letters, digits, ``_`` and ``-`` is in it becomes ``_``."""
    return _UNSAFE.sub("_", text)[:LONGEST]


def template_problem(template: str) -> str:
    """Return what a template would have to be, or nothing where it is fine."""
    rest = _PLACE.sub("x", template)
    if "{metric}" not in template or not re.fullmatch(r"[A-Za-z0-9_.-]+", rest) or ".." in rest or rest[0] == ".":
        return 'a path with {metric} in it and labels in braces, such as "{prefix}.{cluster}.{metric}.{labels}"'
    return ""


def places(template: str) -> list[str]:
    """Return what stands in braces in a template."""
    return _PLACE.findall(template)


def dotted(prefix: str, template: str = DEFAULT) -> Name:
    """Return what makes paths by a template; a part whose labels a series does not have drops out."""
    parts = [(part, _PLACE.findall(part)) for part in template.split(".")]
    named = {name for _, names in parts for name in names}
    start = ".".join(safe(part) for part in prefix.split(".") if part)

    def make(metric: str, labels: Labels) -> str:
        own = {name: safe(value) for name, value in labels if value}
        rest = [own[name] for name in sorted(own.keys() - named, key=_place)]
        own |= {"prefix": start, "metric": safe(metric), "labels": ".".join(rest)}
        filled = [
            _PLACE.sub(lambda place: own.get(place[1], ""), part)
            for part, names in parts
            if not names or any(own.get(name) for name in names)
        ]
        return ".".join(filled)

    return remembered(make)


def remembered(make: Name) -> Name:
    """Return what makes each name once, as snapshots bring the same series again and again."""
    known: dict[tuple[str, Labels], str] = {}

    def name(metric: str, labels: Labels) -> str:
        found = known.get((metric, labels))
        if found is None:
            if len(known) >= MOST:
                known.clear()
            found = known[metric, labels] = make(metric, labels)
        return found

    return name


def _place(name: str) -> tuple[int, str]:
    last = len(ORDER) + (name == "le")
    return (ORDER.index(name) if name in ORDER else last), name


def under(prefix: str, metric: str) -> str:
    """Return a metric's name below a prefix, as names with tags have it."""
    start = _UNSAFE_METRIC.sub("_", prefix).strip(".")
    return f"{start}.{metric}" if start else metric


def tags(labels: Labels, *, narrow: bool = False) -> list[tuple[str, str]]:
    """Return labels as tags; empty values are left out.

    ``narrow``: without ``@`` and ``/``, which StatsD takes out of names, and of tags that stand in names.
    """
    unsafe = _UNSAFE_TAG if narrow else _UNSAFE_VALUE
    return [(_UNSAFE_TAG.sub("_", name), unsafe.sub("_", value)[:LONGEST]) for name, value in labels if value]
