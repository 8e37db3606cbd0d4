"""The beat schedule of an app that is imported by a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightowl.adapters.celery_cluster.beat.app_schedule import read_app
from nightowl.core.cluster.beat import Entry
from nightowl.core.cluster.timetable import Crontab, Interval, Other
from nightowl.core.errors import Unavailable

APP = """
from datetime import timedelta
from celery import Celery
from celery.schedules import crontab, schedule, solar

print("noise on standard output")

class Moon(schedule):
    pass

app = Celery("proj", broker="redis://:s3cret@127.0.0.1:1/0")
app.conf.timezone = "Europe/Paris"
app.conf.beat_schedule = {
    "nightly": {
        "task": "proj.report", "schedule": crontab(minute=0, hour="2,3"), "args": (1, "a"),
        "kwargs": {"when": timedelta(days=1)}, "options": {"queue": "reports"},
    },
    "often": {"task": "proj.tick", "schedule": 30},
    "hourly": {"task": "proj.tick", "schedule": timedelta(hours=1)},
    "dusk": {"task": "proj.light", "schedule": solar("sunset", 48.85, 2.35)},
    "tide": {"task": "proj.tide", "schedule": Moon(60)},
}

@app.on_after_finalize.connect
def more(sender, **_):
    sender.add_periodic_task(10.0, tick.s(5), name="added")

@app.task(name="proj.tick")
def tick(n=0):
    pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "proj_beat.py").write_text(APP)
    (tmp_path / "ephem.py").write_text(
        "class Observer:\n    pass\n"
    )  # which solar schedules ask for when they are made
    return tmp_path


def test_entries_are_those_of_the_app_with_its_time_zone(folder: Path) -> None:
    found = {entry.name: entry for entry in read_app("proj_beat:app", folder)}
    assert found["nightly"] == Entry(
        name="nightly",
        task="proj.report",
        schedule=Crontab(minute="0", hour="2,3", timezone="Europe/Paris"),
        origin="app",
        args='[1, "a"]',
        kwargs='{"when": "datetime.timedelta(days=1)"}',
        queue="reports",
    )
    assert {name: found[name].schedule for name in ("often", "hourly", "dusk", "tide", "added")} == {
        "often": Interval(every=30.0),
        "hourly": Interval(every=3600.0),
        "dusk": Other(text="sunset at 48.85, 2.35"),
        "tide": Other(text="a schedule of class Moon"),
        "added": Interval(every=10.0),
    }


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise SystemExit('no\\nway')", "SystemExit: no way"),
        ("import os; os._exit(7)", "the process that tried ended with exit code 7."),
    ],
)
def test_an_app_that_cannot_be_imported_is_a_sentence(folder: Path, code: str, why: str) -> None:
    (folder / "bad_beat.py").write_text(code)
    with pytest.raises(Unavailable) as refused:
        read_app("bad_beat:app", folder)
    assert str(refused.value).startswith("The app bad_beat:app cannot be imported here: ")
    assert why in str(refused.value)


def test_an_app_that_takes_for_ever_is_given_up(folder: Path) -> None:
    (folder / "slow_beat.py").write_text("import time\ntime.sleep(600)")
    with pytest.raises(Unavailable, match=r"it took longer than 2 s\."):
        read_app("slow_beat:app", folder, timeout=2.0)
