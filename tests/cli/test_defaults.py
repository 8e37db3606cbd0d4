"""Commands without a configuration, and how help is shown."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nightowl.cli import main
from nightowl.roles.installation import Installation


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_without_a_configuration_commands_use_the_store_of_the_state_folder(folder: Path) -> None:
    listed = run("incidents")
    assert (listed.exit_code, listed.output) == (0, "No open incidents.\n")
    (folder / "password").write_text("correct horse battery")
    assert run("user", "add", "ann", "--password-file", "password").output == "user ann: added, role viewer\n"
    assert run("ack", "abc").exit_code == 1
    assert "the defaults: no channel is called ops; there is none" in run("channel", "test", "ops").output
    assert (folder / "state" / "nightowl.db").exists()


@pytest.mark.parametrize("command", [("incidents",), ("db", "migrate")])
def test_the_configuration_of_this_folder_is_used_where_there_is_one(folder: Path, command: tuple[str, ...]) -> None:
    (folder / "nightowl.toml").write_text('[store]\nurl = "sqlite:///here.db"\n')
    assert run(*command).exit_code == 0
    assert (folder / "here.db").exists()


def test_a_configuration_that_is_named_has_to_be_there() -> None:
    missing = run("incidents", "-c", "missing.toml")
    assert missing.exit_code == 2
    assert "missing.toml" in missing.output


@pytest.mark.parametrize(
    ("command", "line"), [("up", "  nightowl up -c nightowl.toml"), ("db", "  nightowl db migrate")]
)
def test_examples_in_help_stand_on_lines_of_their_own(command: str, line: str) -> None:
    shown = run(command, "--help").output
    assert "\\b" not in shown
    assert any(each.startswith(line) for each in shown.splitlines())


def test_an_address_that_was_given_stays_over_a_reload(folder: Path) -> None:
    file = folder / "owl.toml"
    file.write_text('[server]\nlisten = "127.0.0.1:5000"\n')
    installation = Installation(str(file), listen=("127.0.0.1", 6000))
    file.write_text('[server]\nlisten = "127.0.0.1:5000"\n[check.shop]\nurl = "https://shop.example/"\n')
    assert installation.reload_now() == ""
    assert list(installation.current().checks) == ["shop"]
    assert installation.current().server.listen_port == 6000
    assert installation.problems == []


def test_typed_urls_are_probed_without_what_configurations_need() -> None:
    program = "import sys, nightowl.cli.probe; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("part", ["actor", "actor_process"])
def test_an_actor_starts_without_what_only_a_store_and_pages_need(part: str) -> None:
    program = f"import sys, nightowl.cli.{part}; print({{'alembic', 'fastapi', 'sqlalchemy'}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"
