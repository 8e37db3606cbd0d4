"""The units of each role: systemd reads them, our command line takes what they start, and all are as closed."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.deploy.commands import read
from tests.deploy.queries import ROOT
from tests.servers.programs import find

FOLDER = ROOT / "deploy/systemd"
PROGRAM = "/opt/nightowl/bin/nightowl"
ROLES = {"actor@", "director", "evaluator", "notifier", "watcher", "web"}
SERVICES = sorted(path.name for path in FOLDER.glob("*.service"))
RUNNING = {"ExecStart", "ExecReload", "EnvironmentFile", "Type", "Restart", "RestartSec", "TimeoutStopSec"}

each_service = pytest.mark.parametrize("name", SERVICES)


def service(name: str) -> dict[str, str]:
    """The keys of a unit's [Service]."""
    unit = ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(FOLDER / name)
    return dict(unit["Service"])


def test_there_is_a_unit_of_each_role_and_one_that_asks_for_its_health() -> None:
    assert set(SERVICES) == {f"nightowl-{role}.service" for role in (*ROLES, "health@")}


@each_service
def test_our_command_line_takes_what_a_unit_starts(name: str) -> None:
    started = service(name)["ExecStart"].replace("%i", "actor").replace(" $OPTIONS", " --ca ca.pem")
    program, *arguments = shlex.split(started)
    assert program == PROGRAM
    assert read(arguments) == name.removeprefix("nightowl-").removesuffix(".service").removesuffix("@")


@each_service
def test_a_unit_is_as_closed_as_all_others(name: str) -> None:
    first = {key: value for key, value in service(SERVICES[0]).items() if key not in RUNNING}
    assert {key: value for key, value in service(name).items() if key not in RUNNING} == first
    assert first["DynamicUser"] == "yes"


@each_service
def test_a_role_that_ends_is_started_again(name: str) -> None:
    assert service(name).get("Restart") == (None if "health" in name else "always")


@pytest.mark.skipif(find("systemd-analyze") is None, reason="needs systemd-analyze (apt-get install systemd)")
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    for path in FOLDER.iterdir():
        text = path.read_text().replace(PROGRAM, shutil.which("true") or "")
        (tmp_path / path.name.replace("@.", "@london.")).write_text(text)
    names = sorted(str(path) for path in tmp_path.glob("*.*") if path.suffix in (".service", ".timer", ".target"))
    command = [str(find("systemd-analyze")), "verify", "--man=no", *names]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert "nightowl" not in ran.stderr
