from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightowl.core.maintenance import current, rule_problem, windows
from nightowl.core.values import Maintenance

HOUR = 3600.0
DAY = 86400.0
EVERY_DAY = tuple(range(7))
ZONES = {
    "Europe/Paris": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "Australia/Lord_Howe": ("2026-10-04", "2026-04-05"),
}
"""Where clocks are put forward on the first day, and back on the second; on Lord Howe Island by half an hour."""


def maintenance(**keys: object) -> Maintenance:
    return Maintenance(**{"name": "m", "start": 2.5 * HOUR, "duration": HOUR, "days": EVERY_DAY} | keys)


def shown(moment: float, zone: str) -> str:
    """What the clock on the wall shows, with its distance from UTC."""
    return datetime.fromtimestamp(moment, ZoneInfo(zone)).strftime("%a %H:%M %z")


def on(day: str, **keys: object) -> list[tuple[str, str]]:
    """The windows that begin on a day, by the clock on the wall."""
    made = maintenance(**keys)
    zone = ZoneInfo(made.timezone)
    start = datetime.fromisoformat(day).replace(tzinfo=zone).timestamp()
    return [
        (shown(begin, made.timezone), shown(end, made.timezone))
        for begin, end in windows(made, start, start + DAY + HOUR)
        if datetime.fromtimestamp(begin, zone).date().isoformat() == day
    ]


@pytest.mark.parametrize(
    ("zone", "start", "begins"),
    [
        ("Europe/Paris", 2.5, "Sun 03:00 +0200"),
        ("Europe/Paris", 2.0, "Sun 03:00 +0200"),
        ("Europe/Paris", 3.0, "Sun 03:00 +0200"),
        ("Europe/Paris", 1.75, "Sun 01:45 +0100"),
        ("America/New_York", 2.5, "Sun 03:00 -0400"),
        ("Australia/Lord_Howe", 2.25, "Sun 02:30 +1100"),
        ("Australia/Lord_Howe", 2.5, "Sun 02:30 +1100"),
    ],
)
def test_a_start_that_the_clock_skips_is_when_it_jumps(zone: str, start: float, begins: str) -> None:
    [(begin, _)] = on(ZONES[zone][0], timezone=zone, start=start * HOUR)
    assert begin == begins


@pytest.mark.parametrize(
    ("zone", "start", "begins", "ends"),
    [
        ("Europe/Paris", 2.5, "Sun 02:30 +0200", "Sun 02:30 +0100"),
        ("Europe/Paris", 3.0, "Sun 03:00 +0100", "Sun 04:00 +0100"),
        ("America/New_York", 1.5, "Sun 01:30 -0400", "Sun 01:30 -0500"),
        ("Australia/Lord_Howe", 1.75, "Sun 01:45 +1100", "Sun 02:15 +1030"),
    ],
)
def test_a_start_that_comes_twice_is_the_first_and_the_window_lasts_elapsed_time(
    zone: str, start: float, begins: str, ends: str
) -> None:
    assert on(ZONES[zone][1], timezone=zone, start=start * HOUR) == [(begins, ends)]


def test_windows_that_begin_before_and_end_after_a_span_touch_it() -> None:
    midnight = datetime(2026, 11, 4, tzinfo=UTC).timestamp()
    late = maintenance(start=23 * HOUR, duration=3 * HOUR)
    assert windows(late, midnight, midnight + HOUR) == [(midnight - HOUR, midnight + 2 * HOUR)]
    assert windows(late, midnight + 2 * HOUR, midnight + 3 * HOUR) == []
    assert windows(late, midnight + 22 * HOUR, midnight + 23 * HOUR) == []


def test_only_the_days_that_are_named_have_windows() -> None:
    monday = datetime(2026, 11, 2, tzinfo=UTC).timestamp()
    begun = [begin for begin, _ in windows(maintenance(days=(1, 3)), monday, monday + 7 * DAY)]
    assert [shown(each, "UTC")[:3] for each in begun] == ["Tue", "Thu"]


def test_a_rule_says_the_days() -> None:
    year = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    second_sundays = maintenance(days=(), rrule="FREQ=MONTHLY;BYDAY=2SU")
    found = [datetime.fromtimestamp(begin, UTC) for begin, _ in windows(second_sundays, year, year + 365 * DAY)]
    assert len(found) == 12
    assert {(each.strftime("%a"), 8 <= each.day <= 14) for each in found} == {("Sun", True)}


def test_every_other_week_is_counted_from_one_monday_on() -> None:
    year = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    fortnightly = maintenance(days=(), rrule="FREQ=WEEKLY;INTERVAL=2;BYDAY=WE")
    begun = [begin for begin, _ in windows(fortnightly, year, year + 100 * DAY)]
    anchor = datetime(2024, 1, 3, 2, 30, tzinfo=UTC).timestamp()
    assert {(begin - anchor) % (14 * DAY) for begin in begun} == {0.0}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "every day",
        "FREQ=SECONDLY",
        "FREQ=HOURLY",
        "freq=minutely",
        "FREQ=DAILY;FREQ=SECONDLY",
        "FREQ=SECONDLY;FREQ=DAILY",
        "FREQ=DAILY;BYHOUR=1,2,3",
        "FREQ=DAILY;BYSECOND=1",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;INTERVAL=10000000000",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;BYDAY=XX",
        "FREQ=DAILY\nRRULE:FREQ=SECONDLY",
        "DTSTART=20260101;FREQ=DAILY",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;" + "BYDAY=" + ",".join(["MO"] * 200),
    ],
)
def test_a_rule_that_is_none_never_comes_or_has_no_days_of_its_own_is_refused(text: str) -> None:
    assert rule_problem(text)


@pytest.mark.parametrize(
    "text", ["FREQ=DAILY", "freq=weekly;byday=mo,tu", "FREQ=YEARLY;BYYEARDAY=366", "FREQ=MONTHLY;BYMONTHDAY=-1"]
)
def test_a_rule_for_days_is_taken(text: str) -> None:
    assert rule_problem(text) == ""


def test_what_is_on_now_is_told_with_its_end() -> None:
    monday = datetime(2026, 11, 2, tzinfo=UTC).timestamp()
    short, long = maintenance(name="short"), maintenance(name="long", start=0.0, duration=30 * HOUR)
    asked = monday + 2.5 * HOUR
    assert current([short, long], asked) == [(short, asked + HOUR), (long, monday + 30 * HOUR)]
    assert current([short], asked + HOUR) == []
    assert current([short], asked - 1.0) == []


@cache
def walk(zone: str, first: float, minutes: int) -> list[tuple[float, datetime, datetime]]:
    """Moments minute by minute, what the clock on the wall shows, and the midnight before that."""
    moments = [first + 60.0 * minute for minute in range(minutes)]
    shown = [datetime.fromtimestamp(moment, ZoneInfo(zone)).replace(tzinfo=None) for moment in moments]
    midnights = [local.replace(hour=0, minute=0) for local in shown]
    return list(zip(moments, shown, midnights, strict=True))


def walked(made: Maintenance, first: float, minutes: int) -> list[float]:
    """Minute by minute: a window of a day begins at the first at which the clock shows its start or later."""
    found: dict[datetime, float] = {}
    for moment, local, midnight in walk(made.timezone, first, minutes):
        for day in (midnight - timedelta(days=1), midnight):
            if local >= day + timedelta(seconds=made.start) and day.weekday() in made.days:
                found.setdefault(day, moment)
    return sorted(found.values())


CHANGES = [(zone, day) for zone, days in ZONES.items() for day in days] + [
    ("Pacific/Apia", "2011-12-30"),
    ("America/Sao_Paulo", "2018-11-04"),
    ("Asia/Kathmandu", "2026-06-01"),
]
"""Days around which to look: Apia skips one whole day, in Sao Paulo clocks are put forward at midnight."""


@settings(max_examples=60)
@given(
    st.sampled_from(CHANGES),
    st.integers(0, 24 * 60 - 1),
    st.integers(1, 6),
    st.lists(st.integers(0, 6), min_size=1, unique=True).map(tuple),
)
def test_windows_are_those_of_a_walk_from_minute_to_minute(
    change: tuple[str, str], minute: int, hours: int, days: tuple[int, ...]
) -> None:
    zone, day = change
    made = maintenance(timezone=zone, start=60.0 * minute, duration=hours * HOUR, days=days)
    first = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() - 2 * DAY
    naive = [begin for begin in walked(made, first, 5 * 24 * 60) if begin >= first + DAY]
    found = [begin for begin, _ in windows(made, first + DAY, first + 5 * DAY) if begin >= first + DAY]
    assert sorted(set(found)) == sorted(set(naive))
