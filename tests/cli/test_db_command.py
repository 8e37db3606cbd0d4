"""``nightowl db``."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nightowl.adapters.store_sql import open_store
from nightowl.cli.db import db
from nightowl.core.values import User


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a state folder and stand in an empty folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(db, arguments)


def say(url: str, name: str) -> None:
    store = open_store(url, migrate=True)
    with store.transaction() as unit:
        unit.users.put(User(name=name, role="admin", password_hash="$"))
    store.close()


def users(url: str) -> list[str]:
    store = open_store(url)
    with store.read() as unit:
        names = [user.name for user in unit.users.all()]
    store.close()
    return names


def test_migrate_makes_the_tables_in_the_state_folder(home: Path) -> None:
    assert call("migrate").output == "the store was migrated from nothing to schema 0007\n"
    assert call("migrate").output == "the store is up to date (schema 0007)\n"
    assert (home / "state" / "nightowl.db").exists()


def test_the_store_is_the_one_that_the_configuration_names(home: Path) -> None:
    (home / "owl.toml").write_text('[store]\nurl = "sqlite:///owl.db"\n')
    assert call("migrate", "-c", str(home / "owl.toml")).exit_code == 0
    assert (home / "owl.db").exists()


def test_a_url_wins_over_a_configuration(home: Path) -> None:
    assert call("migrate", "-c", "missing.toml", "--url", f"sqlite:///{home / 'other.db'}").exit_code == 0
    assert (home / "other.db").exists()


def test_a_backup_is_restored_elsewhere(home: Path) -> None:
    source, target = f"sqlite:///{home / 'source.db'}", f"sqlite:///{home / 'target.db'}"
    say(source, "alice")
    saved = call("backup", "owl.backup", "--url", source)
    assert saved.exit_code == 0
    assert saved.output.startswith("owl.backup: 11 rows, ")
    assert call("restore", "owl.backup", "--url", target).output == "owl.backup: 11 rows restored\n"
    assert users(target) == ["alice"]


def test_a_store_is_replaced_only_by_force(home: Path) -> None:
    url = f"sqlite:///{home / 'source.db'}"
    say(url, "alice")
    call("backup", "owl.backup", "--url", url)
    say(url, "bob")
    refused = call("restore", "owl.backup", "--url", url)
    assert refused.exit_code == 2
    assert refused.stderr == f"Store {home / 'source.db'} is not empty; --force replaces what it holds\n"
    assert users(url) == ["alice", "bob"]
    assert call("restore", "owl.backup", "--url", url, "--force").exit_code == 0
    assert users(url) == ["alice"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("backup", "owl.backup"), 'has no tables yet; create them with "nightowl db migrate"'),
        (("backup", "nowhere/owl.backup"), "nowhere/owl.backup: cannot be written: No such file or directory"),
        (("restore", "note.txt"), "note.txt: is not a complete backup of NightOwl"),
        (("restore", "missing"), "File 'missing' does not exist"),
        (("migrate", "-c", "missing.toml"), "missing.toml"),
        (("migrate", "--url", "oracle://owl:geheim@db/owl"), "allowed: sqlite:///PATH"),
        (("migrate", "--url", "postgresql://owl:geheim@127.0.0.1:1/owl"), "Connection refused"),
        (("backup", "owl.backup", "--url", "mysql://owl:geheim@127.0.0.1:1/owl"), "Connection refused"),
    ],
)
def test_bad_input_is_one_message_and_exit_2(home: Path, arguments: tuple[str, ...], message: str) -> None:
    Path("note.txt").write_text("hello")
    if "nowhere" in arguments[1]:
        call("migrate")
    told = call(*arguments)
    assert told.exit_code == 2
    assert message in told.stderr
    assert "geheim" not in told.output
    assert "Traceback" not in told.output


@pytest.mark.parametrize("command", ["migrate", "backup", "restore"])
def test_every_command_explains_itself(command: str) -> None:
    told = call(command, "--help").output
    assert "--url" in told
    assert "--config" in told
