"""Entries of a beat schedule: when they ran, when they are due, and by how much they are late. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec

from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.cluster.state import Due
from nightowl.core.cluster.timetable import (
    Clocked,
    Crontab,
    Schedule,
    following,
    in_words,
    moment_after,
    moments_between,
)

LATE = 10.0
"""Seconds by which an entry may be overdue before it is late: beat and its database take their time."""

MOST_MISSED = 100
"""Missed moments that are counted; there may be more."""

HIDDEN = "***"
"""In place of the value of an argument that is redacted."""

_LONGEST = 2000  # characters of shown arguments
_LARGEST = 50_000  # characters of arguments that are looked through
_REMEMBERED = 10_000  # arguments, as the same entries are asked for again and again


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An entry as it is defined. Moments are Unix seconds.

    ``origin`` is where it stands; ``args`` and ``kwargs`` are JSON; ``last`` is when beat says that it ran. It is not
    due before ``begin`` nor from ``end`` on.
    """

    name: str
    task: str
    schedule: Schedule
    origin: str = ""
    args: str = ""
    kwargs: str = ""
    queue: str = ""
    enabled: bool = True
    last: float | None = None
    begin: float | None = None
    end: float | None = None


def due_of(entry: Entry, settings: ClusterSettings, seen: float | None, now: float) -> Due:
    """How an entry stands at ``now``, whose task was ``seen`` to be sent or to run last at that moment.

    ``next`` is the moment after the last run, so it lies in the past while the entry is late. Without a run it is the
    next one of a crontab, and not known of an interval. ``missed`` counts the moments that have passed without a run.
    """
    last = max((moment for moment in (entry.last, seen) if moment is not None), default=None)
    coming = _coming(entry, last, now) if entry.enabled else None
    late = None if coming is None or now - coming <= LATE else now - coming
    missed = 0 if late is None or coming is None else _count(entry.schedule, coming, now)
    hidden = settings.arguments == "none"
    return Due(
        name=entry.name,
        task=entry.task,
        schedule=in_words(entry.schedule),
        origin=entry.origin,
        args="" if hidden else entry.args[:_LONGEST],
        kwargs="" if hidden else _shown(entry.kwargs, None if settings.arguments == "full" else settings.redact),
        queue=entry.queue,
        enabled=entry.enabled,
        next=coming,
        last=last,
        late=late,
        missed=missed,
    )


def _coming(entry: Entry, last: float | None, now: float) -> float | None:
    """When an entry is due after its last run, within the time in which it may be."""
    schedule = entry.schedule
    if isinstance(schedule, Clocked):
        coming = schedule.at if last is None else None
    elif last is not None:
        coming = following(schedule, last)
    else:
        coming = moment_after(schedule, now) if isinstance(schedule, Crontab) else None
    if coming is not None and entry.begin is not None and coming < entry.begin:
        coming = moment_after(schedule, entry.begin - 0.001) if isinstance(schedule, Crontab) else entry.begin
    return None if coming is None or (entry.end is not None and coming >= entry.end) else coming


def _count(schedule: Schedule, first: float, now: float) -> int:
    return sum(1 for _ in islice(moments_between(schedule, first, now - LATE), MOST_MISSED))


@lru_cache(maxsize=_REMEMBERED)
def _shown(kwargs: str, redact: tuple[str, ...] | None) -> str:
    """Arguments without what is redacted, at any depth; those that are no JSON, or very long, are hidden whole."""
    if redact is None or not kwargs:
        return kwargs[:_LONGEST]
    try:
        found = json.loads(kwargs) if len(kwargs) <= _LARGEST else HIDDEN
        masked = _masked(found, lambda key: any(fnmatchcase(key.lower(), each.lower()) for each in redact))
        return json.dumps(masked)[:_LONGEST] if masked != HIDDEN else HIDDEN
    except (ValueError, RecursionError):
        return HIDDEN


def _masked(value: Any, is_secret: Callable[[str], bool]) -> Any:
    if isinstance(value, dict):
        return {key: HIDDEN if is_secret(key) else _masked(inner, is_secret) for key, inner in value.items()}
    return [_masked(each, is_secret) for each in value] if isinstance(value, list) else value
