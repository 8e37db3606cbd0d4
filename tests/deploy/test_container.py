"""The container file: what it copies is there, it runs as nobody of note, and our command line takes its commands."""

from __future__ import annotations

import json
import re

from tests.deploy.commands import read
from tests.deploy.queries import ROOT

FILE = ROOT / "deploy/container/Containerfile"
TEXT = re.sub(r"\\\n\s*", "", FILE.read_text())
LINES = [line.split(" ", 1) for line in TEXT.splitlines() if line and not line.startswith("#")]


def of(instruction: str) -> list[str]:
    """What stands behind an instruction, each time."""
    return [rest for word, rest in LINES if word == instruction]


def test_what_is_copied_is_there_and_is_not_ignored() -> None:
    copied = [part for rest in of("COPY") if not rest.startswith("--from") for part in rest.split()[:-1]]
    ignore = FILE.with_name("Containerfile.dockerignore").read_text().splitlines()
    assert ignore[0] == "*"
    assert [part for part in copied if not (ROOT / part).exists() or f"!{part}" not in ignore] == []


def test_the_extras_that_are_installed_exist() -> None:
    (extras,) = re.findall(r"'\.\[(.*)\]'", TEXT)
    declared = re.search(
        r"\[project\.optional-dependencies\]\n(.*?)\n\n\[", (ROOT / "pyproject.toml").read_text(), re.DOTALL
    )
    assert declared
    assert all(f"\n{extra} = " in f"\n{declared[1]}" for extra in extras.split(","))


def test_it_runs_as_a_user_of_its_own_over_a_volume() -> None:
    user = of("USER")[-1].partition(":")[0]
    assert int(user) > 0
    assert f"--uid {user} " in TEXT
    assert of("VOLUME") == ["/var/lib/nightowl"]
    assert "STATE_DIRECTORY=/var/lib/nightowl" in TEXT


def test_our_command_line_takes_its_commands() -> None:
    assert json.loads(of("ENTRYPOINT")[0]) == ["nightowl"]
    assert read(json.loads(of("CMD")[0])) == "up"
    asked = json.loads(of("HEALTHCHECK")[0].partition("CMD ")[2])
    assert asked[0] == "nightowl"
    assert read(asked[1:]) == "health"
