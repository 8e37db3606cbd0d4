"""Every requirement is pinned, by version alone."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"].values()
LINES = (ROOT / "constraints.txt").read_text().splitlines()


def normal(name: str) -> str:
    """A project's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("requirement", [*PROJECT["dependencies"], *(each for extra in EXTRAS for each in extra)])
def test_a_requirement_is_pinned(requirement):
    name = normal(re.match(r"[\w.-]+", requirement)[0])
    assert name in {normal(line.partition("==")[0]) for line in LINES}


@pytest.mark.parametrize("line", LINES)
def test_a_pin_is_a_name_and_a_version(line):
    assert re.fullmatch(r"[\w.-]+==[\w.]+", line)
