"""``nightowl silence`` and ``nightowl ack --for``, as people type them."""

import json
import re
import shlex
from contextlib import closing
from pathlib import Path
from time import time

import pytest
from click.testing import CliRunner, Result

from nightowl.cli.ack import ack
from nightowl.cli.incidents import incidents
from nightowl.cli.silence import silence
from nightowl.config import load
from nightowl.core.values import Change, Incident, Severity, Suppression
from nightowl.wire.store import open_store


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    file = tmp_path / "nightowl.toml"
    file.write_text('[check.shop]\nurl = "http://shop/"\n')
    return str(file)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(silence, arguments)


def test_a_silence_is_added_listed_and_ended(path: str) -> None:
    assert run("list", "-c", path).output == "No silences.\n"
    added = run(
        "add", "-m", "team=shop*", "--match", "severity=>=warning", "--for", "2h", "--comment", "moving", "-c", path
    )
    assert added.output.startswith("silence 1: severity=>=warning, team=shop*, until 20")
    [line] = run("list", "-c", path).output.splitlines()
    cells = line.split("\t")
    assert (cells[0], cells[1], cells[4], cells[6]) == ("1", "active", "severity=>=warning, team=shop*", "moving")
    [stored] = json.loads(run("list", "--json", "-c", path).output)
    assert (stored["match"], round(stored["end"] - stored["start"])) == (
        {"severity": ">=warning", "team": "shop*"},
        7200,
    )
    assert run("end", "1", "-c", path).output == "silence 1: ended\n"
    assert run("list", "-c", path).output == "No silences.\n"
    assert "\tended\t" in run("list", "--all", "-c", path).output


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("add", "-m", "team", "--for", "2h"), 2, 'a name and a pattern, "team=shop*"'),
        (("add", "-m", "team=shop", "--for", "soon"), 2, "--for"),
        (("add", "-m", "severity=bad", "--for", "2h"), 2, "match.severity"),
        (("add", "-m", "team=shop", "--for", "2y"), 2, "end"),
        (("add", "-m", "team=shop"), 2, "--for"),
        (("end", "7"), 1, "There is no silence #7."),
    ],
)
def test_what_cannot_be_is_refused_with_what_could(path: str, arguments: tuple[str, ...], code: int, told: str) -> None:
    refused = run(*arguments, "-c", path)
    assert refused.exit_code == code
    assert told in refused.output


def test_an_acknowledgement_may_be_for_a_while(path: str) -> None:
    now = time()
    incident = Incident(
        id="5f2c", kind="check", subject="shop", severity=Severity.CRITICAL, summary="shop is down", opened=now
    )
    with closing(open_store(load(path))) as store, store.transaction() as unit:
        unit.incidents.apply([Change(event="opened", incident=incident, at=now, text="")])
    told = CliRunner().invoke(ack, ["5f", "--by", "anna", "--for", "1h", "-c", path])
    assert told.output.startswith("incident 5f2c (shop): acknowledged by anna until 20")
    refused = CliRunner().invoke(ack, ["5f", "--for", "soon", "-c", path])
    assert (refused.exit_code, "--for" in refused.output) == (2, True)


def test_the_list_of_incidents_says_what_holds_one_back(path: str) -> None:
    held = Suppression("parent", "router")
    incident = Incident(
        id="5f2c", kind="check", subject="shop", severity=Severity.CRITICAL, summary="", opened=1.0, suppressed=held
    )
    with closing(open_store(load(path))) as store, store.transaction() as unit:
        unit.incidents.apply([Change(event="opened", incident=incident, at=1.0, text="")])
    told = CliRunner().invoke(incidents, ["-c", path])
    assert told.output.split("\t")[1] == "suppressed: parent down: router"


def test_the_commands_of_the_documentation_work(path: str) -> None:
    page = Path(__file__).parents[2].joinpath("docs/notices.md").read_text()
    commands = re.findall(r"^\$ nightowl silence (.*)$", page, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["add", "list", "end"]
    for command in commands:
        done = run(*shlex.split(command), "-c", path)
        assert (done.exit_code, done.output != "") == (0, True)
