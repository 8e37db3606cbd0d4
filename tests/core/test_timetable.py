"""Moments of beat's schedules, beside those that Celery itself computes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery import Celery
from celery.schedules import crontab
from hypothesis import given, settings
from hypothesis import strategies as st

from nightowl.core.cluster.timetable import (
    Clocked,
    Crontab,
    Interval,
    Other,
    Schedule,
    following,
    in_words,
    moment_after,
    moments_between,
)

PARIS = ZoneInfo("Europe/Paris")
APP = Celery("timetable", set_as_current=False, timezone="Europe/Paris")


def field(least: int, most: int, *names: str) -> st.SearchStrategy[str]:
    number = st.integers(least, most).map(str)
    ranges = st.tuples(number, number).map("-".join)
    steps = st.tuples(st.one_of(st.just("*"), ranges), st.integers(1, 20).map(str)).map("/".join)
    part = st.one_of(number, ranges, steps, *([st.sampled_from(names)] if names else []))
    return st.one_of(st.just("*"), st.lists(part, min_size=1, max_size=3).map(",".join))


FIELDS = st.fixed_dictionaries(
    {"minute": field(0, 59), "hour": field(0, 23)},
    optional={
        "day_of_month": field(1, 31),
        "month_of_year": field(1, 12, "jan", "july"),
        "day_of_week": field(0, 6, "sun", "Wednesday"),
    },
)
NIGHTS = [datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 10, 24, 20, tzinfo=UTC)]
MOMENTS = st.one_of(
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(lambda found: found.replace(tzinfo=UTC)),  # noqa: DTZ001 - hypothesis takes naive bounds
    st.tuples(st.sampled_from(NIGHTS), st.integers(0, 8 * 3600)).map(
        lambda found: datetime.fromtimestamp(found[0].timestamp() + found[1], UTC)
    ),
)


@settings(deadline=None, max_examples=150)
@given(fields=FIELDS, last=MOMENTS)
def test_a_crontab_is_due_when_celery_says(fields: dict[str, Any], last: datetime) -> None:
    local = last.astimezone(PARIS).replace(microsecond=0)
    if local.fold:
        return  # in the second of the doubled hours Celery reckons from the first
    try:
        theirs = crontab(**fields, app=APP, nowfun=lambda: local)
    except ValueError:
        return  # a day that no month has
    wanted = local.timestamp() + theirs.remaining_estimate(local).total_seconds()
    assert moment_after(Crontab(**fields, timezone="Europe/Paris"), local.timestamp()) == pytest.approx(wanted)


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_days_of_month_and_week_must_both_match() -> None:
    friday = Crontab(minute="0", hour="9", day_of_month="13", day_of_week="fri")
    assert moment_after(friday, at("2026-03-14T00:00+00:00")) == at("2026-11-13T09:00+00:00")


def test_a_time_that_is_skipped_in_spring_is_due_after_it_and_one_that_comes_twice_the_first_time() -> None:
    nightly = Crontab(minute="30", hour="2", timezone="Europe/Paris")
    assert moment_after(nightly, at("2026-03-28T12:00+00:00")) == at("2026-03-29T03:30+02:00")
    assert moment_after(nightly, at("2026-10-24T12:00+00:00")) == at("2026-10-25T02:30+02:00")
    assert moment_after(nightly, at("2026-10-25T02:30+02:00")) == at("2026-10-26T02:30+01:00")


@pytest.mark.parametrize(
    "fields",
    [
        {"minute": "61"},
        {"minute": "1-"},
        {"minute": "*/0"},
        {"hour": "x"},
        {"day_of_month": "0"},
        {"minute": ",".join("1" * 2000)},
        {"day_of_month": "30", "month_of_year": "2"},
        {"timezone": "Nowhere/At_all"},
        {"timezone": "../../etc/passwd"},
    ],
)
def test_what_cannot_be_read_is_never_due(fields: dict[str, str]) -> None:
    assert moment_after(Crontab(**fields), 1_700_000_000.0) is None
    assert in_words(Crontab(**fields))


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Interval(every=30.0), "every 30 seconds"),
        (Interval(every=86400.0), "every day"),
        (Interval(every=0.5), "every 0.5 seconds"),
        (Crontab(minute="0", hour="3", timezone="Europe/Paris"), "At 03:00 every day, Europe/Paris"),
        (
            Crontab(minute="0", hour="3", day_of_month="1", day_of_week="mon"),
            "0 3 1 * mon (minute, hour, day, month and day of the week), UTC",
        ),
        (Clocked(at=0.0), "once, 1970-01-01 00:00:00 UTC"),
        (Other(text="sunset at 48.85, 2.35"), "sunset at 48.85, 2.35"),
    ],
)
def test_a_schedule_in_words(schedule: Schedule, words: str) -> None:
    assert in_words(schedule) == words


def test_a_run_that_was_seen_seconds_early_was_for_the_moment_to_come() -> None:
    nightly = Crontab(minute="0", hour="3")
    three = at("2026-06-02T03:00+00:00")
    assert following(nightly, three - 2) == three + 86400
    assert following(nightly, three - 120) == three
    assert following(Crontab(), three - 2) == three + 60


def test_moments_of_an_interval_of_nothing_are_no_endless_work() -> None:
    assert len(list(moments_between(Interval(every=0.0), 0.0, 1.0))) <= 1001
    assert list(moments_between(Other(text="x"), 0.0, 1.0)) == [0.0]
