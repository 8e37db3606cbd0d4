"""The coming weeks as a calendar: days in the reader's time zone, and what is planned on them. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import msgspec

from nightowl.core.maintenance import windows
from nightowl.core.values import Maintenance

WEEKS = 5
"""Weeks that are shown, the present one first."""

MOST = 300
"""Windows that are shown at most."""

_DAY = timedelta(days=1)


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """One window of a maintenance (Unix seconds), as the clocks there and the reader's show it.

    ``note`` says what clocks do around it (empty: nothing).
    """

    name: str
    start: float
    end: float
    zone: str
    there: str
    here: str
    note: str


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What of a window lies on a day, with ``span`` from its hour to the other."""

    name: str
    span: str
    start: float


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """A day of the calendar; ``change`` says what clocks do on it (empty: nothing)."""

    date: str
    today: bool
    past: bool
    change: str
    parts: tuple[Part, ...]


def coming(plans: Iterable[Maintenance], now: float, zone: ZoneInfo) -> list[Window]:
    """Return the windows of the weeks that are shown, also those of this week that are over, in order."""
    start, end = _bounds(now, zone)
    found = [(begin, over, plan) for plan in plans for begin, over in windows(plan, start, end)]
    found.sort(key=lambda one: (one[0], one[2].name))
    return [_window(plan, begin, over, zone) for begin, over, plan in islice(found, MOST)]


def by_week(found: Sequence[Window], now: float, zone: ZoneInfo) -> tuple[tuple[Day, ...], ...]:
    """Return the days week by week, each from Monday to Sunday, with what is on them."""
    start, _ = _bounds(now, zone)
    first, today = _wall(start, zone).date(), _wall(now, zone).date()
    days = [_day(first + number * _DAY, today, found, zone) for number in range(7 * WEEKS)]
    return tuple(tuple(days[at : at + 7]) for at in range(0, len(days), 7))


def change_of(day: date, zone: ZoneInfo) -> str:
    """Say by how much clocks are put forward or back on a day (empty: they are not)."""
    before, after = (datetime.combine(each, datetime.min.time(), zone).utcoffset() for each in (day, day + _DAY))
    assert before is not None
    assert after is not None
    moved = (after - before).total_seconds()
    if not moved:
        return ""
    hours = f"{abs(moved) / 3600:g} h"
    return f"clocks go forward {hours}" if moved > 0 else f"clocks go back {hours}"


def _bounds(now: float, zone: ZoneInfo) -> tuple[float, float]:
    """From the midnight before this week's Monday to that after the last Sunday that is shown."""
    today = _wall(now, zone).date()
    monday = today - timedelta(days=today.weekday())
    return _midnight(monday, zone), _midnight(monday + 7 * WEEKS * _DAY, zone)


def _day(day: date, today: date, found: Sequence[Window], zone: ZoneInfo) -> Day:
    begin, end = _midnight(day, zone), _midnight(day + _DAY, zone)
    parts = tuple(_part(one, begin, end, zone) for one in found if one.start < end and one.end > begin)
    return Day(date=day.isoformat(), today=day == today, past=day < today, change=change_of(day, zone), parts=parts)


def _part(window: Window, begin: float, end: float, zone: ZoneInfo) -> Part:
    start = "00:00" if window.start < begin else f"{_wall(window.start, zone):%H:%M}"
    over = "24:00" if window.end >= end else f"{_wall(window.end, zone):%H:%M}"
    return Part(name=window.name, span=f"{start}–{over}", start=window.start)  # noqa: RUF001  # a dash between times


def _window(plan: Maintenance, begin: float, over: float, here: ZoneInfo) -> Window:
    there = ZoneInfo(plan.timezone)
    return Window(
        name=plan.name,
        start=begin,
        end=over,
        zone=plan.timezone,
        there=told(begin, over, there),
        here=told(begin, over, here),
        note="; ".join(_notes(begin, over, there)),
    )


def _notes(begin: float, over: float, zone: ZoneInfo) -> Iterator[str]:
    day, last = _wall(begin, zone).date(), _wall(over, zone).date()
    while day <= last:
        if change := change_of(day, zone):
            yield f"on {day:%a} {day.isoformat()} {change}"
        day += _DAY


def told(begin: float, over: float, zone: ZoneInfo) -> str:
    """Say from when to when, as the clock on the wall shows it, with the date, and the zone's short name."""
    start, end = (datetime.fromtimestamp(moment, UTC).astimezone(zone) for moment in (begin, over))
    first = f"{start:%a %Y-%m-%d %H:%M}"
    if start.tzname() != end.tzname():
        first += f" {start.tzname()}"
    last = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%a %Y-%m-%d %H:%M}"
    return f"{first}–{last} {end.tzname()}"  # noqa: RUF001  # a dash between times


def _midnight(day: date, zone: ZoneInfo) -> float:
    return datetime.combine(day, datetime.min.time(), zone).timestamp()


def _wall(moment: float, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(moment, UTC).astimezone(zone)
