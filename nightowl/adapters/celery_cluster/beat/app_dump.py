"""Prints the beat schedule of a Celery app as JSON: ``python -m ... APP``, a process of its own.

Whatever the app's code prints goes to standard error, and whatever it does ends with this process.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from nightowl.core.cluster.beat import Entry
from nightowl.core.cluster.timetable import Crontab, Interval, Other, Schedule

MOST_ENTRIES = 5000
"""Entries that are told of."""

_LONGEST = 2000  # characters of any text


class Told(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What is printed: the entries, or why there are none."""

    entries: list[Entry] = []
    error: str = ""


def main(name: str) -> None:
    """Print what the app of this name (``proj.celery:app``) says, and end the process."""
    with os.fdopen(os.dup(1), "wb") as answer:
        os.dup2(2, 1)
        try:
            told = Told(entries=_entries(name))
        except BaseException as error:  # noqa: BLE001 - the app's code may raise whatever it likes, SystemExit included
            told = Told(error=" ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST])
        answer.write(msgspec.json.encode(told))
    os._exit(0)  # threads that the app has begun wait for nothing any more


def _entries(name: str) -> list[Entry]:
    from celery.app.utils import find_app  # noqa: PLC0415 - the app's Celery, within the process that may fail

    app = find_app(name)
    app.loader.import_default_modules()
    return entries_of(app)


def entries_of(app: Any) -> list[Entry]:
    """The entries of an app that is imported; whatever its code raises."""
    app.finalize()
    timezone = _zone(app.timezone)
    found = list(dict(app.conf.beat_schedule or {}).items())[:MOST_ENTRIES]
    return [_entry(str(key)[:_LONGEST], value, timezone) for key, value in found]


def _entry(name: str, found: Any, timezone: str) -> Entry:
    given = found if isinstance(found, Mapping) else vars(found)
    options = given.get("options") or {}
    return Entry(
        name=name,
        task=str(given.get("task", ""))[:_LONGEST],
        schedule=_schedule(given.get("schedule"), timezone),
        origin="app",
        args=_json(list(given.get("args") or ())),
        kwargs=_json(dict(given.get("kwargs") or {})),
        queue=str(getattr(options.get("queue"), "name", options.get("queue")) or "")[:_LONGEST],
    )


def _schedule(found: Any, timezone: str) -> Schedule:
    from celery import schedules  # noqa: PLC0415 - see above

    if isinstance(found, timedelta):
        return Interval(every=found.total_seconds())
    if isinstance(found, int | float):
        return Interval(every=float(found))
    if isinstance(found, schedules.crontab):
        return Crontab(
            minute=_field(found._orig_minute),  # noqa: SLF001 - what was written; nothing public tells it
            hour=_field(found._orig_hour),  # noqa: SLF001
            day_of_month=_field(found._orig_day_of_month),  # noqa: SLF001
            month_of_year=_field(found._orig_month_of_year),  # noqa: SLF001
            day_of_week=_field(found._orig_day_of_week),  # noqa: SLF001
            timezone=timezone,
        )
    if isinstance(found, schedules.solar):
        return Other(text=f"{found.event} at {found.lat}, {found.lon}")
    if type(found) is schedules.schedule:
        return Interval(every=found.run_every.total_seconds())
    return Other(text=f"a schedule of class {type(found).__name__}")


def _field(found: Any) -> str:
    if isinstance(found, str | int):
        return str(found)
    return ",".join(map(str, found)) if isinstance(found, Iterable) else "*"


def _zone(found: Any) -> str:
    """The name of a time zone; UTC where it has none."""
    return str(getattr(found, "key", None) or getattr(found, "zone", None) or "UTC")


def _json(found: Any) -> str:
    return json.dumps(found, default=repr)[: 4 * _LONGEST]


if __name__ == "__main__":
    main(sys.argv[1])
