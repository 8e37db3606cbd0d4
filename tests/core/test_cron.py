"""Cron's moments, on the days when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightowl.core import cron

PARIS, NEW_YORK = "Europe/Paris", "America/New_York"


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def upcoming(expression: str, zone: str, after: str, count: int) -> list[str]:
    found = islice(cron.moments(expression, zone, seconds(after)), count)
    return [datetime.fromtimestamp(moment, UTC).strftime("%m-%dT%H:%M") for moment in found]


@pytest.mark.parametrize(
    ("expression", "zone", "after", "due"),
    [
        # clocks go from 02:00 to 03:00 on 2026-03-29 in Paris, on 2026-03-08 in New York: due when the gap is over
        ("30 2 * * *", PARIS, "2026-03-28T00:00", ["03-28T01:30", "03-29T01:00", "03-30T00:30"]),
        ("30 2 * * *", NEW_YORK, "2026-03-07T00:00", ["03-07T07:30", "03-08T07:00", "03-09T06:30"]),
        # and back from 03:00 to 02:00 on 2026-10-25, from 02:00 to 01:00 on 2026-11-01: due the first time alone
        ("30 2 * * *", PARIS, "2026-10-24T12:00", ["10-25T00:30", "10-26T01:30"]),
        ("30 1 * * *", NEW_YORK, "2026-10-31T12:00", ["11-01T05:30", "11-02T06:30"]),
        ("*/20 * * * *", PARIS, "2026-10-25T00:30", ["10-25T00:40", "10-25T01:00", "10-25T01:20", "10-25T01:40"]),
        ("0 * * * *", PARIS, "2026-03-29T00:30", ["03-29T01:00", "03-29T02:00"]),
        ("0 3 * * *", PARIS, "2026-03-28T12:00", ["03-29T01:00", "03-30T01:00"]),
    ],
)
def test_a_moment_on_a_day_when_clocks_change(expression: str, zone: str, after: str, due: list[str]) -> None:
    assert upcoming(expression, zone, after, len(due)) == due


def test_the_second_pass_of_a_doubled_hour_does_not_lead_back_into_the_first() -> None:
    assert upcoming("30 2 * * *", PARIS, "2026-10-25T01:15", 1) == ["10-26T01:30"]


@pytest.mark.parametrize("text", ["", "0 3 * *", "61 * * * *", "0 0 30 2 *", "* * * * * *", "@daily", "0 3 * * FOO"])
def test_what_is_no_expression(text: str) -> None:
    assert not cron.is_expression(text)


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "Europe"])
def test_what_is_no_time_zone(name: str) -> None:
    assert not cron.is_timezone(name)


@settings(deadline=None, max_examples=60)
@given(
    expression=st.sampled_from(
        ["30 2 * * *", "15 1,2 * * *", "*/7 * * * *", "0 3 * * 1-5", "0 0 1 * *", "59 2 29 2 *"]
    ),
    zone=st.sampled_from([PARIS, NEW_YORK, "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
    after=st.floats(seconds("2024-01-01"), seconds("2032-01-01")),
)
def test_moments_only_ever_go_forward(expression: str, zone: str, after: float) -> None:
    found = [after, *islice(cron.moments(expression, zone, after), 4)]
    assert all(earlier < later for earlier, later in pairwise(found))
