"""The calendar of maintenance: days as readers have them, windows as clocks show them, also where clocks change."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from nightowl.core.values import Maintenance
from nightowl.web.weeks import MOST, WEEKS, by_week, change_of, coming, told

PARIS = ZoneInfo("Europe/Paris")
TUESDAY = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
DEPLOYS = Maintenance(name="deploys", days=(1,), start=22 * 3600.0, duration=3600.0, timezone="Europe/Paris")


def plain(span):
    """A span with a hyphen in place of its dash."""
    return span.replace("\u2013", "-")


def plan(**keys):
    return Maintenance(**{"name": "m", "days": (6,), "start": 9000.0, "duration": 3600.0} | keys)


def day_of(found, day, now, zone):
    return next(one for week in by_week(found, now, zone) for one in week if one.date == day)


def test_five_weeks_are_shown_from_this_monday_on():
    weeks = by_week([], TUESDAY, PARIS)
    days = [day.date for week in weeks for day in week]
    assert (len(weeks), {len(week) for week in weeks}) == (WEEKS, {7})
    assert (days[0], days[-1]) == ("2026-11-23", "2026-12-27")
    assert [day.date for week in weeks for day in week if day.today] == ["2026-11-24"]
    assert [day.date for week in weeks for day in week if day.past] == ["2026-11-23"]


def test_which_day_it_is_depends_on_the_reader():
    late = datetime(2026, 11, 24, 23, 30, tzinfo=UTC).timestamp()
    assert day_of([], "2026-11-24", late, ZoneInfo("UTC")).today
    assert day_of([], "2026-11-25", late, PARIS).today


def test_a_window_is_told_by_the_clocks_there_and_here():
    first, *_ = coming([DEPLOYS], TUESDAY, ZoneInfo("Asia/Tokyo"))
    assert (plain(first.there), first.zone) == ("Tue 2026-11-24 22:00-23:00 CET", "Europe/Paris")
    assert plain(first.here) == "Wed 2026-11-25 06:00-07:00 JST"
    assert first.note == ""


def test_windows_lie_on_the_readers_days():
    found = coming([DEPLOYS], TUESDAY, ZoneInfo("Asia/Tokyo"))
    [part] = day_of(found, "2026-11-25", TUESDAY, ZoneInfo("Asia/Tokyo")).parts
    assert (part.name, plain(part.span)) == ("deploys", "06:00-07:00")
    assert day_of(found, "2026-11-24", TUESDAY, ZoneInfo("Asia/Tokyo")).parts == ()
    assert len(found) == WEEKS


def test_a_window_over_midnight_lies_on_both_days():
    found = coming([plan(start=23 * 3600.0, duration=2 * 3600.0)], TUESDAY, ZoneInfo("UTC"))
    spans = {day: [plain(part.span) for part in day_of(found, day, TUESDAY, ZoneInfo("UTC")).parts]
             for day in ("2026-11-29", "2026-11-30")}  # fmt: skip
    assert spans == {"2026-11-29": ["23:00-24:00"], "2026-11-30": ["00:00-01:00"]}
    assert plain(found[1].there) == "Sun 2026-11-29 23:00-Mon 2026-11-30 01:00 UTC"


def test_a_window_that_began_before_this_week_is_shown_as_far_as_it_lies_in_it():
    found = coming([plan(days=(6,), start=20 * 3600.0, duration=10 * 3600.0)], TUESDAY, ZoneInfo("UTC"))
    assert plain(day_of(found, "2026-11-23", TUESDAY, ZoneInfo("UTC")).parts[0].span) == "00:00-06:00"


@pytest.mark.parametrize(
    ("zone", "day", "change"),
    [
        ("Europe/Paris", date(2026, 3, 29), "clocks go forward 1 h"),
        ("Europe/Paris", date(2026, 10, 25), "clocks go back 1 h"),
        ("Europe/Paris", date(2026, 10, 24), ""),
        ("Australia/Lord_Howe", date(2026, 10, 4), "clocks go forward 0.5 h"),
        ("UTC", date(2026, 3, 29), ""),
    ],
)
def test_days_on_which_clocks_change_are_marked(zone, day, change):
    assert change_of(day, ZoneInfo(zone)) == change
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)).timestamp()
    assert day_of([], day.isoformat(), noon, ZoneInfo(zone)).change == change


def test_a_window_on_such_a_day_says_so_in_the_clocks_that_change():
    october = datetime(2026, 10, 20, tzinfo=UTC).timestamp()
    night = plan(start=2 * 3600.0, duration=2 * 3600.0, timezone="Europe/Paris")
    first, second, *_ = coming([night], october, ZoneInfo("UTC"))
    assert plain(first.there) == "Sun 2026-10-25 02:00 CEST-03:00 CET"
    assert plain(first.here) == "Sun 2026-10-25 00:00-02:00 UTC"
    assert first.note == "on Sun 2026-10-25 clocks go back 1 h"
    assert second.note == ""
    assert day_of([first], "2026-10-25", october, ZoneInfo("UTC")).change == ""


def test_windows_come_in_order_and_not_without_end():
    plans = [plan(name=f"m{number}", days=tuple(range(7)), start=number * 60.0) for number in range(20)]
    found = coming(plans, TUESDAY, PARIS)
    assert len(found) == MOST
    assert [one.start for one in found] == sorted(one.start for one in found)


def test_a_clock_that_is_put_forward_in_between_is_told_with_both_names():
    begin = datetime(2026, 3, 29, 0, 30, tzinfo=UTC).timestamp()
    assert plain(told(begin, begin + 3600, PARIS)) == "Sun 2026-03-29 01:30 CET-03:30 CEST"
