"""A role that starts while its store is away waits for it, and says so once."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from nightowl.adapters.store_sql.tasks import open_tasks
from nightowl.config import Configuration
from nightowl.core.errors import SchemaOutdated, StoreUnusable
from nightowl.roles import reaching
from nightowl.roles.installation import Installation
from nightowl.roles.reaching import reach
from nightowl.wire.checks import for_urls
from nightowl.wire.store import open_store

AWAY = "postgresql+psycopg://owl:hush@127.0.0.1:1/owl"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configuration:
    """An installation with a check and a file as its store; nobody is patient."""
    monkeypatch.setattr("nightowl.adapters.store_sql.engines._PATIENCE", 0.05)
    monkeypatch.setattr(reaching, "AGAIN", 0.01)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    return for_urls(["https://shop.example/"])


@pytest.mark.parametrize("file", ["nightowl.db", "nightowl.tasks.db", "nightowl.figures.db"])
def test_a_locked_file_is_waited_for_and_told_once(
    settings: Configuration, tmp_path: Path, caplog: pytest.LogCaptureFixture, file: str
) -> None:
    for opened in (open_store(settings), open_tasks(f"sqlite:///{tmp_path}/nightowl.db")):
        opened.close()
    other = sqlite3.connect(tmp_path / file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    threading.Timer(0.6, other.rollback).start()
    installation = Installation(fixed=settings)
    with caplog.at_level(logging.INFO, logger="nightowl.roles.reaching"):
        reach(installation, defines=True)
    other.close()
    waiting, going_on = caplog.messages
    assert waiting.startswith("waiting for the store and trying again: Store ")
    assert waiting.endswith(f"{file}: database is locked")
    assert going_on == "going on: the store answers"
    with installation.store.read() as unit:
        assert len(unit.checks.all()) == 1
    installation.store.close()
    installation.tasks.close()


def test_a_schema_of_another_version_is_refused_at_once(settings: Configuration, tmp_path: Path) -> None:
    open_store(settings).close()
    engine = create_engine(f"sqlite:///{tmp_path}/nightowl.db")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(SchemaOutdated, match="newer NightOwl"):
        reach(Installation(fixed=settings))


def test_a_file_that_is_no_database_is_refused_at_once(settings: Configuration, tmp_path: Path) -> None:
    (tmp_path / "nightowl.db").write_bytes(b"garbage" * 1000)
    with pytest.raises(StoreUnusable, match="not a database"):
        reach(Installation(fixed=settings))


@pytest.mark.parametrize("command", ["up", "director", "watcher", "notifier", "web"])
def test_every_role_waits_for_a_server_that_is_away(tmp_path: Path, command: str) -> None:
    path = tmp_path / "nightowl.toml"
    path.write_text(f'[store]\nurl = "{AWAY}"\n[bus]\nbroker = "filesystem://{tmp_path}/bus"\n')
    started = subprocess.Popen(
        [sys.executable, "-m", "nightowl", command, "-c", str(path)], stderr=subprocess.PIPE, text=True
    )
    assert started.stderr is not None
    try:
        said = next(line for line in started.stderr if " INFO " not in line)
        assert "waiting for the store and trying again: Store postgresql+psycopg://owl" in said
        assert "hush" not in said
        assert started.poll() is None
    finally:
        started.terminate()
        rest = started.communicate()[1]
    assert rest == ""


def test_a_folder_that_is_missing_is_one_line_and_exit_2(tmp_path: Path) -> None:
    path = tmp_path / "nightowl.toml"
    path.write_text(f'[store]\nurl = "sqlite:///{tmp_path}/missing/owl.db"\n')
    ended = subprocess.run(
        [sys.executable, "-m", "nightowl", "watcher", "-c", str(path)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr == f"Store {tmp_path}/missing/owl.db: unable to open database file\n"
