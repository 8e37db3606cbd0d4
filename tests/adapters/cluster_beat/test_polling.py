"""Entries that are read in the background, and what is said where they cannot be."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from nightowl.adapters.celery_cluster.beat import entries
from nightowl.adapters.celery_cluster.beat.polling import Entries, Source
from nightowl.adapters.clock import SystemClock
from nightowl.core.cluster.beat import Entry
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.cluster.timetable import Interval
from nightowl.core.errors import Unavailable

SHOP = ClusterSettings(name="shop", broker="redis://h/0", secrets=("s3cret-key",))


def soon(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_entries_stand_as_their_tasks_were_seen(tmp_path: Path) -> None:
    seen = {"tick": time.time() - 100}
    read = [
        Entry(name="b", task="tick", schedule=Interval(every=60.0)),
        Entry(name="a", task="x", schedule=Interval(every=60.0)),
    ]
    made = Entries([Source(read=lambda: read, every=60.0)], SHOP, SystemClock(), seen.get)
    soon(made)
    first, second = made()
    made.close()
    assert (first.name, first.late, second.name, second.missed) == ("a", None, "b", 1)
    assert made.missing == ()


def test_what_was_read_is_still_shown_when_it_cannot_be_read_any_more() -> None:
    turns = []

    def read() -> list[Entry]:
        turns.append(1)
        if len(turns) == 2:
            raise Unavailable("cannot read redis://owl:hidden@h/0 with s3cret-key")
        if len(turns) == 3:
            raise ZeroDivisionError
        return [Entry(name="a", task="x", schedule=Interval(every=60.0))]

    made = Entries([Source(read=read, every=0.0)], SHOP, SystemClock(), lambda _: None)
    said = set()
    soon(lambda: len(turns) > 4 or said.update(made.missing))
    made.close()
    assert said == {
        "cannot read redis://owl:***@h/0 with ***",
        "The beat entries cannot be read: ZeroDivisionError.",
    }
    assert [due.name for due in made()] == ["a"]


def test_a_cluster_of_which_nothing_can_be_read_has_no_entries() -> None:
    made = entries(SHOP, SystemClock(), lambda _: None)
    assert (made(), made.missing) == ([], ())
    made.close()


def test_the_app_and_the_tables_are_read_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "both_beat.py").write_text(
        "from celery import Celery\napp = Celery('x', set_as_current=False)\n"
        "app.conf.beat_schedule = {'a': {'task': 't', 'schedule': 5}}\n"
    )
    sqlite3.connect(tmp_path / "empty.sqlite3").close()
    settings = ClusterSettings(
        name="shop", broker="redis://h/0", app="both_beat", beat=f"sqlite:///{tmp_path}/empty.sqlite3"
    )
    made = entries(settings, SystemClock(), lambda _: None, folder=tmp_path)
    soon(lambda: made() and made.missing)
    made.close()
    assert [(due.name, due.schedule) for due in made()] == [("a", "every 5 seconds")]
    assert made.missing[0].startswith("The tables of django-celery-beat cannot be read: ")
