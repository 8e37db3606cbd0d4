import json
import tomllib

import pytest
from click.testing import CliRunner

from nightowl.cli.config import config


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(config, arguments)


def test_a_configuration_is_begun_proved_and_shown(run, tmp_path):
    assert run("init").output == "Wrote nightowl.toml. Next: nightowl up -c nightowl.toml\n"
    result = run("check")
    assert result.exit_code == 0
    assert (
        result.output.splitlines()[0]
        == "nightowl.toml: valid; 1 location, 0 clusters, 1 check, 0 rules, 0 sources, 0 sinks, 0 channels, 0 routes, "
        "0 users"
    )
    assert tomllib.loads(run("show").output)["check"]["example"]["every"] == "1m"


def test_hints_stand_below_the_summary(run):
    run("init")
    assert "hint NO23: channel: none is declared, so nobody will be told" in run("check").output


def test_all_mistakes_are_told_on_stderr_with_exit_2(run, tmp_path):
    (tmp_path / "bad.toml").write_text('[server]\nlisten = "x"\n[check.a]\nurl = "http://a/"\nevery = 5\n')
    result = run("check", "-c", "bad.toml")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert [line.split(": found")[0] for line in result.stderr.splitlines()] == [
        "bad.toml: server.listen",
        "bad.toml: check.a.every",
    ]


@pytest.mark.parametrize("command", ["check", "show"])
def test_a_missing_file_is_one_message(run, command):
    result = run(command, "-c", "none.toml")
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert result.stderr.startswith("none.toml: found no such file or directory")


def test_what_takes_effect_is_shown_as_json_too(run, tmp_path):
    (tmp_path / "nightowl.toml").write_text('[server]\nsecret_key = "0123456789abcdef0123456789abcdef"')
    assert json.loads(run("show", "--json").output)["server"] == {"listen": "127.0.0.1:5555", "secret_key": "***"}


def test_the_schema_is_json(run):
    assert json.loads(run("schema").output)["title"] == "NightOwl configuration"


def test_a_file_that_is_there_is_kept_unless_forced(run, tmp_path):
    (tmp_path / "nightowl.toml").write_text("# mine")
    refused = run("init")
    assert (refused.exit_code, refused.stderr) == (2, "nightowl.toml is there already; --force replaces it\n")
    assert (tmp_path / "nightowl.toml").read_text() == "# mine"
    assert run("init", "--force").exit_code == 0
    assert "[check.example]" in (tmp_path / "nightowl.toml").read_text()


def test_a_place_that_cannot_be_written_is_one_message(run):
    result = run("init", "missing/nightowl.toml")
    assert (result.exit_code, result.stderr) == (
        2,
        "missing/nightowl.toml cannot be written: no such file or directory\n",
    )
