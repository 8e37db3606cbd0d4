"""The schedules of beat entries, and when they are due. Pure.

Fields are those of Celery's ``crontab``: all of them must match, days of the month and of the week alike, where cron
takes either (https://docs.celeryq.dev/en/stable/reference/celery.schedules.html#celery.schedules.crontab). Where clocks
change, a moment that the clock skips counts with the offset from before, and one that comes twice the first time, as
in Celery.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from nightowl.core import cron

EARLY = 30.0
"""Seconds by which a run may have been seen before the moment that it was for: clocks differ."""

FARTHEST = 40 * 366
"""Days after which a moment is no longer looked for: the 29th of February is on a Monday once in up to 40 years."""

_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")
_LONGEST = 500  # characters of one field
_REMEMBERED = 10_000  # answers, as the same entries are asked for again and again


class Crontab(msgspec.Struct, frozen=True, kw_only=True, tag="crontab"):
    """Celery's fields, in ``timezone`` (an IANA name)."""

    minute: str = "*"
    hour: str = "*"
    day_of_month: str = "*"
    month_of_year: str = "*"
    day_of_week: str = "*"
    timezone: str = "UTC"


class Interval(msgspec.Struct, frozen=True, kw_only=True, tag="interval"):
    """So many seconds after the last run."""

    every: float


class Clocked(msgspec.Struct, frozen=True, kw_only=True, tag="clocked"):
    """Once, ``at`` a moment (Unix seconds)."""

    at: float


class Other(msgspec.Struct, frozen=True, kw_only=True, tag="other"):
    """One that is named and not computed: by the sun, or of a class of the app's own."""

    text: str


Schedule = Crontab | Interval | Clocked | Other


@lru_cache(maxsize=_REMEMBERED)
def in_words(schedule: Schedule) -> str:
    """Say when it is due: ``every 5 minutes``, ``At 03:00 every day, Europe/Paris``."""
    if isinstance(schedule, Interval):
        return f"every {_span(schedule.every)}"
    if isinstance(schedule, Clocked):
        return f"once, {datetime.fromtimestamp(schedule.at, ZoneInfo('UTC')):%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(schedule, Other):
        return schedule.text
    days = (schedule.day_of_month, schedule.month_of_year, schedule.day_of_week)
    expression = " ".join((schedule.minute, schedule.hour, *days))
    alike = schedule.day_of_month == "*" or schedule.day_of_week == "*"
    if alike and cron.is_expression(expression):
        return f"{cron.in_words(expression)}, {schedule.timezone}"
    return f"{expression} (minute, hour, day, month and day of the week), {schedule.timezone}"


@lru_cache(maxsize=_REMEMBERED)
def following(schedule: Schedule, last: float) -> float | None:
    """When it is due after a run at ``last``, which may have been seen a little early (None: not known, or never)."""
    if isinstance(schedule, Interval):
        return last + schedule.every
    if not isinstance(schedule, Crontab):
        return None
    first = moment_after(schedule, last)
    second = None if first is None else moment_after(schedule, first)
    if first is None or second is None:
        return first
    return second if first - last <= min(EARLY, (second - first) / 4) else first


def moments_between(schedule: Schedule, start: float, end: float) -> Iterator[float]:
    """Yield the moments from ``start`` (one itself) to ``end``."""
    moment: float | None = start
    while moment is not None and moment <= end:
        yield moment
        every = max(schedule.every, 0.001) if isinstance(schedule, Interval) else None
        moment = moment_after(schedule, moment) if isinstance(schedule, Crontab) else every and moment + every


def moment_after(schedule: Crontab, after: float) -> float | None:
    """The first moment later than ``after`` (None: there is none, or its fields cannot be read)."""
    fields = _fields(schedule)
    if fields is None:
        return None
    zone = ZoneInfo(schedule.timezone)
    local = datetime.fromtimestamp(after, zone)
    for day in _days(fields, local.date()):
        for hour, minute in _times(fields, local if day == local.date() else None):
            moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).timestamp()
            if moment > after:
                return moment
    return None


class _Fields(msgspec.Struct, frozen=True):
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]


@lru_cache(maxsize=_REMEMBERED)
def _fields(schedule: Crontab) -> _Fields | None:
    try:
        fields = _Fields(
            _expanded(schedule.minute, 0, 59, {}),
            _expanded(schedule.hour, 0, 23, {}),
            _expanded(schedule.day_of_month, 1, 31, {}),
            _expanded(schedule.month_of_year, 1, 12, _MONTHS),
            _expanded(schedule.day_of_week, 0, 6, _DAYS),
        )
    except ValueError:
        return None
    return fields if cron.is_timezone(schedule.timezone) else None


def _expanded(field: str, least: int, most: int, names: dict[str, int]) -> tuple[int, ...]:
    """The numbers of a field. Raises ``ValueError`` where it is none."""
    numbers: set[int] = set()
    for part in field.replace(" ", "")[: _LONGEST + 1].split(","):
        found = _PART.fullmatch(part)
        step = int(found["step"] or 1) if found else 0
        if found is None or len(field) > _LONGEST or step < 1:
            raise ValueError(field)
        first = _number(found["first"], names) if found["first"] else least
        last = _number(found["last"], names) if found["last"] else first if found["first"] else most
        if not (least <= first <= most and least <= last <= most):
            raise ValueError(field)
        wrapped = [*range(first, most + 1), *range(least, last + 1)]
        numbers.update((range(first, last + 1) if first <= last else wrapped)[::step])
    return tuple(sorted(numbers))


def _number(text: str, names: dict[str, int]) -> int:
    return int(text) if text.isdecimal() else names.get(text[:3].lower(), -1)


def _days(fields: _Fields, first: date) -> Iterator[date]:
    """Yield the days that match, from ``first`` on; a month that does not is skipped whole."""
    last = first + timedelta(days=FARTHEST)
    day = first
    while day <= last:
        if day.month not in fields.months:
            day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            continue
        if day.day in fields.days and day.isoweekday() % 7 in fields.weekdays:
            yield day
        day += timedelta(days=1)


def _times(fields: _Fields, since: datetime | None) -> Iterator[tuple[int, int]]:
    """Yield the times of a day, hour and minute, from ``since`` on."""
    hour, minute = (0, 0) if since is None else (since.hour, since.minute)
    for each in fields.hours[bisect_left(fields.hours, hour) :]:
        first = bisect_left(fields.minutes, minute) if each == hour else 0
        yield from ((each, minute) for minute in fields.minutes[first:])


def _span(seconds: float) -> str:
    for size, unit in _UNITS:
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return unit if count == 1 else f"{count} {unit}s"
    return f"{seconds:g} seconds"
