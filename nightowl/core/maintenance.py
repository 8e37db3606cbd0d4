"""Maintenance windows: from days and a clock on the wall to moments.

A window begins at the first moment at which the clock on the wall shows its start, or later, on its day. So one whose
start is skipped as clocks are put forward begins when they jump, and one whose start comes twice begins the first time.
It lasts for elapsed seconds, whatever the clock does meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rruleset, rrulestr

from nightowl.core.values import Maintenance

ANCHOR = datetime(2024, 1, 1)  # noqa: DTZ001  # a day, wherever that is
"""The Monday from which a rule with an ``INTERVAL`` or a ``COUNT`` counts."""

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
"""What a rule may repeat: more often than once a day it would have no day of its own."""

_DAY_PARTS = ("INTERVAL", "COUNT", "UNTIL", "WKST", "BYSETPOS", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO",
              "BYDAY")  # fmt: skip
_LONGEST = 500
_YEARS = 30
_COUNT = re.compile(r"[1-9][0-9]{0,3}")
_PART = re.compile(r"([A-Z]+)=([A-Z0-9,+-]+)")

_DAY = timedelta(days=1)


def windows(maintenance: Maintenance, start: float, end: float) -> list[tuple[float, float]]:
    """Return the windows that touch ``[start, end)``, as beginnings and ends (Unix seconds), in order.

    Raises ``ValueError`` for a rule or a time zone that is none.
    """
    zone = ZoneInfo(maintenance.timezone)
    first = _local(start - maintenance.duration, zone).date() - _DAY
    last = _local(end, zone).date() + _DAY
    begun = (_begins(day, maintenance.start, zone) for day in _days(maintenance, first, last))
    found = [(begin, begin + maintenance.duration) for begin in begun]
    return [(begin, over) for begin, over in found if begin < end and over > start]


def current(maintenance: Iterable[Maintenance], now: float) -> list[tuple[Maintenance, float]]:
    """Return those in which ``now`` lies, with the moment at which that ends."""
    found = []
    for each in maintenance:
        ends = [over for begin, over in windows(each, now, now + 1.0) if begin <= now]
        if ends:
            found.append((each, max(ends)))
    return found


def rule_problem(text: str) -> str:
    """Return what is wrong with a rule for days (empty: nothing)."""
    example = 'a rule such as "FREQ=MONTHLY;BYDAY=2SU"'
    pairs = _PART.findall(text.upper())
    parts = dict(pairs)
    whole = ";".join(map("=".join, pairs)) == text.upper() and len(parts) == len(pairs) and len(text) <= _LONGEST
    if not whole or parts.get("FREQ") not in FREQUENCIES or _never(parts):
        return f"{example}, with FREQ one of {', '.join(FREQUENCIES)}"
    if foreign := [name for name in parts if name not in ("FREQ", *_DAY_PARTS)]:
        return f"a rule for days, without {', '.join(foreign)}; start says when on the day"
    try:
        found = _rule(text).after(ANCHOR - _DAY)
    except (ValueError, TypeError, OverflowError) as error:
        return f"{example} ({error})"
    years = f"a rule that has a day within {_YEARS} years"
    return "" if found is not None and found.year < ANCHOR.year + _YEARS else years


def _never(parts: Mapping[str, str]) -> bool:
    """Whether a rule does not go on, so that it would be looked for without an end, or beyond all calendars."""
    return any(not _COUNT.fullmatch(parts[name]) for name in ("INTERVAL", "COUNT") if name in parts)


def _days(maintenance: Maintenance, first: date, last: date) -> Iterator[date]:
    if maintenance.rrule:
        begin, end = datetime.combine(first, datetime.min.time()), datetime.combine(last, datetime.min.time())
        yield from (found.date() for found in _rule(maintenance.rrule).between(begin, end, inc=True))
        return
    for number in range((last - first).days + 1):
        day = first + number * _DAY
        if day.weekday() in maintenance.days:
            yield day


@lru_cache(256)
def _rule(text: str) -> rrule | rruleset:
    """A rule over days, counted from ``ANCHOR``. Raises ``ValueError``."""
    return rrulestr(text, dtstart=ANCHOR, cache=True)


def _begins(day: date, since_midnight: float, zone: ZoneInfo) -> float:
    """The first moment at which the clock on the wall shows this time of a day, or later."""
    wanted = datetime.combine(day, datetime.min.time()) + timedelta(seconds=since_midnight)
    found = wanted.replace(tzinfo=zone).timestamp()
    if _local(found, zone) == wanted:
        return found
    return _jump(wanted.replace(tzinfo=zone, fold=1).timestamp(), found, wanted, zone)


def _jump(before: float, after: float, wanted: datetime, zone: ZoneInfo) -> float:
    """The moment between these two at which the clock jumps over the time that is wanted, to the second."""
    low, high = round(before), round(after)
    while high - low > 1:
        middle = (low + high) // 2
        if _local(middle, zone) < wanted:
            low = middle
        else:
            high = middle
    return float(high)


def _local(moment: float, zone: ZoneInfo) -> datetime:
    """What the clock on the wall shows."""
    return datetime.fromtimestamp(moment, UTC).astimezone(zone).replace(tzinfo=None)
