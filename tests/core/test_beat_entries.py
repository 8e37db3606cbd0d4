"""Entries of a beat schedule: when they are due, and by how much they are late."""

from __future__ import annotations

from datetime import datetime

import pytest

from nightowl.core.cluster.beat import MOST_MISSED, Entry, due_of
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.cluster.timetable import Clocked, Crontab, Interval, Other

DAY = 86400.0
THREE = datetime.fromisoformat("2026-06-02T03:00+02:00").timestamp()
SHOP = ClusterSettings(name="shop", broker="redis://h/0")
NIGHTLY = Entry(name="nightly", task="report", schedule=Crontab(minute="0", hour="3", timezone="Europe/Paris"))
MINUTELY = Entry(name="minutely", task="tick", schedule=Interval(every=60.0))


def stands(entry: Entry, seen: float | None, now: float) -> tuple[float | None, float | None, int]:
    due = due_of(entry, SHOP, seen, now)
    return due.next, due.late, due.missed


def test_the_next_moment_follows_the_last_run() -> None:
    assert stands(NIGHTLY, THREE + 1, THREE + 3600) == (THREE + DAY, None, 0)
    assert stands(MINUTELY, THREE, THREE + 5) == (THREE + 60, None, 0)


def test_an_entry_that_did_not_run_is_late_and_its_moments_are_counted() -> None:
    assert stands(NIGHTLY, THREE, THREE + 2 * DAY + 60) == (THREE + DAY, DAY + 60, 2)
    assert stands(MINUTELY, THREE, THREE + 200) == (THREE + 60, 140.0, 3)
    assert stands(MINUTELY, THREE, THREE + 65) == (THREE + 60, None, 0)
    assert stands(MINUTELY, THREE, THREE + 365 * DAY)[2] == MOST_MISSED


def test_the_night_of_a_change_of_clocks_is_one_moment() -> None:
    before = datetime.fromisoformat("2026-03-28T02:30+01:00").timestamp()
    entry = Entry(name="n", task="t", schedule=Crontab(minute="30", hour="2", timezone="Europe/Paris"))
    assert stands(entry, before, before + DAY + 1800) == (before + DAY, 1800.0, 1)


def test_without_a_run_only_a_crontab_knows_when_it_is_due() -> None:
    assert stands(NIGHTLY, None, THREE - 60) == (THREE, None, 0)
    assert stands(MINUTELY, None, THREE) == (None, None, 0)
    assert stands(Entry(name="s", task="t", schedule=Other(text="sunset")), THREE, THREE + DAY) == (None, None, 0)


def test_the_later_of_what_beat_says_and_what_was_seen_counts() -> None:
    entry = Entry(name="minutely", task="tick", schedule=Interval(every=60.0), last=THREE + 60)
    assert stands(entry, THREE, THREE + 61)[0] == THREE + 120
    assert stands(entry, THREE + 90, THREE + 91)[0] == THREE + 150


def test_an_entry_is_due_within_its_time_alone() -> None:
    def within(**more: float) -> float | None:
        entry = Entry(name="n", task="t", schedule=NIGHTLY.schedule, **more)
        return due_of(entry, SHOP, THREE, THREE + 60).next

    assert within(begin=THREE + 5 * DAY) == THREE + 5 * DAY
    assert within(begin=THREE + 5 * DAY + 1) == THREE + 6 * DAY
    assert within(end=THREE + DAY) is None


def test_an_entry_that_is_switched_off_is_never_late() -> None:
    entry = Entry(name="n", task="t", schedule=Interval(every=60.0), enabled=False)
    due = due_of(entry, SHOP, THREE, THREE + DAY)
    assert (due.enabled, due.next, due.late, due.last) == (False, None, None, THREE)


def test_one_moment_is_due_once() -> None:
    entry = Entry(name="n", task="t", schedule=Clocked(at=THREE))
    assert stands(entry, None, THREE + 60) == (THREE, 60.0, 1)
    assert stands(entry, THREE + 1, THREE + 60) == (None, None, 0)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ("redacted", '{"user": 7, "deep": [{"Password": "***"}]}'),
        ("full", '{"user": 7, "deep": [{"Password": "s3cret"}]}'),
        ("none", ""),
    ],
)
def test_arguments_are_shown_as_the_cluster_says(arguments: str, shown: str) -> None:
    kwargs = '{"user": 7, "deep": [{"Password": "s3cret"}]}'
    settings = ClusterSettings(name="shop", broker="redis://h/0", arguments=arguments)  # type: ignore[arg-type]  # a word of the test's own
    assert (
        due_of(Entry(name="n", task="t", schedule=Other(text="x"), kwargs=kwargs), settings, None, 0.0).kwargs == shown
    )


def test_arguments_that_are_no_json_are_hidden() -> None:
    for kwargs in ("{'password': 'x'}", "[" * 100_000):
        assert (
            due_of(Entry(name="n", task="t", schedule=Other(text="x"), kwargs=kwargs), SHOP, None, 0.0).kwargs == "***"
        )
