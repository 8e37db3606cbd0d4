"""The recipes of docs/cookbook.md load, and their tests hold."""

import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from nightowl.cli import main
from nightowl.core.measures import OF_CHECKS
from nightowl.flows.figures import Figures

PAGE = (Path(__file__).parents[2] / "docs/cookbook.md").read_text(encoding="utf-8")
RULES = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
TESTS = re.findall(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
TITLES = re.findall(r"^### (\d+)\. ", PAGE, re.MULTILINE)
SOURCE = '[source.prom]\nkind = "prometheus"\nurl = "http://127.0.0.1:9090"\n'
FILE = tomllib.loads("\n".join(RULES))["rule"]


@pytest.fixture
def cookbook(tmp_path):
    """The files that somebody has who copied everything: their folder."""
    (tmp_path / "nightowl.toml").write_text("\n".join([*RULES, SOURCE]))
    (tmp_path / "rules-test.toml").write_text("\n".join(['rules = "nightowl.toml"', *TESTS]))
    return tmp_path


def test_there_are_twenty_recipes_each_with_a_rule_and_its_test():
    assert [int(title) for title in TITLES] == list(range(1, 21))
    named = [next(iter(tomllib.loads(rule)["rule"])) for rule in RULES]
    assert [next(iter(tomllib.loads(test)["test"])) for test in TESTS] == named
    assert list(FILE) == named


def test_the_tests_of_all_recipes_hold(cookbook):
    path = cookbook / "rules-test.toml"
    found = CliRunner().invoke(main, ["rules", "test", str(path)])
    assert found.output.splitlines() == [f"{path}: {name}: ok" for name in FILE]
    assert found.exit_code == 0


def test_each_test_sees_its_rule_fire_and_rest():
    for name, test in tomllib.loads("\n".join(TESTS))["test"].items():
        states = {each["state"] for each in test["expect"]}
        assert "FIRING" in states, name
        assert states > {"FIRING"}, name


def test_what_is_said_to_be_nightowls_own_is_what_it_measures():
    figures = Figures()
    figures.evaluation = 0.1
    figures._lateness = [0.1, 0.2]
    own = {sample.metric for sample in figures.samples(0.0, {"nightowl.check.london": 3}, 0.0)} | set(OF_CHECKS)
    metrics = {rule.get("metric", "") for rule in FILE.values()}
    asked = {metric for metric in metrics if metric.startswith(("nightowl_", "check_"))}
    assert len(asked) == 6
    assert asked <= own
