"""The tables of django-celery-beat, as the package's own migrations make them."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nightowl.adapters.celery_cluster.beat.django_tables import open_tables
from nightowl.core.cluster.beat import Entry
from nightowl.core.cluster.timetable import Clocked, Crontab, Interval, Other
from nightowl.core.errors import Unavailable

LAST = datetime(2026, 6, 1, 1, 0, 2, tzinfo=UTC).timestamp()
ORIGIN = "django-celery-beat"


def made(url: str) -> str:
    """Let a Django project make its tables, and entries in them."""
    subprocess.run([sys.executable, Path(__file__).with_name("django_project.py"), url], check=True, timeout=120)
    return url


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return made(f"sqlite:///{tmp_path}/shop.sqlite3")
    return made(request.getfixturevalue(f"{request.param}_url"))


def test_entries_of_all_kinds_are_read_and_nothing_is_written(url: str, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    found = {entry.name: entry for entry in open_tables(url)()}
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    assert found == {
        "nightly": Entry(
            name="nightly",
            task="shop.nightly",
            schedule=Crontab(minute="0", hour="3", timezone="Europe/Paris"),
            origin=ORIGIN,
            args="[7]",
            kwargs='{"password": "x"}',
            queue="reports",
            last=LAST,
        ),
        "often": Entry(
            name="often",
            task="shop.often",
            schedule=Interval(every=300.0),
            origin=ORIGIN,
            enabled=False,
            begin=LAST,
            end=LAST + 9 * 86400,
        ),
        "dusk": Entry(name="dusk", task="shop.dusk", schedule=Other(text="sunset at 48.85, 2.35"), origin=ORIGIN),
        "once": Entry(name="once", task="shop.once", schedule=Clocked(at=LAST), origin=ORIGIN),
    }


def test_no_file_is_made(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="unable to open database file"):
        open_tables(f"sqlite:///{tmp_path}/none.sqlite3")()
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_something_else_says_which_table_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "empty.sqlite3").touch()
    with pytest.raises(Unavailable, match=r"^The tables .* cannot be read: no such table: django_celery_beat_"):
        open_tables(f"sqlite:///{tmp_path}/empty.sqlite3")()


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://owl:s3cret@127.0.0.1:1/d", "mariadb+pymysql://owl:s3cret@127.0.0.1:1/d"]
)
def test_a_server_that_is_away_is_a_sentence_without_the_password(url: str) -> None:
    with pytest.raises(Unavailable) as refused:
        open_tables(url)()
    assert "s3cret" not in str(refused.value)
    assert str(refused.value).startswith("The tables of django-celery-beat cannot be read: ")
