"""What the documents say is there, is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nightowl.cli import COMMANDS
from nightowl.config import load

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
ENVIRONMENT = {"SLACK_URL": "https://hooks.slack.example/services/x", "OWL_DB_PASSWORD": "x"}

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


@each_document
def test_links_lead_to_files(document):
    links = re.findall(r"(?<!!)\[[^\]]*\]\((?!\w+:|#)([^)#]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


@each_document
def test_commands_exist(document):
    named = re.findall(r"(?:^\$ |`)nightowl ([a-z][a-z-]*)", document.read_text(), re.MULTILINE)
    assert set(named) <= COMMANDS.keys()


def test_the_first_configurations_load(tmp_path):
    examples = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    for number, example in enumerate(examples):
        path = tmp_path / f"{number}.toml"
        path.write_text(example)
        load(path, environ=ENVIRONMENT)
    assert len(examples) == 3
