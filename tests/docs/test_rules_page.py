"""The examples of docs/rules.md work as they stand there."""

import re
from pathlib import Path

from click.testing import CliRunner

from nightowl.cli import main

PAGE = (Path(__file__).parents[2] / "docs/rules.md").read_text()


def test_the_unit_test_of_the_page_holds_for_the_rule_of_the_page(tmp_path):
    (tmp_path / "nightowl.toml").write_text(re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0])
    tests = tmp_path / "tests.toml"
    tests.write_text(re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)[0])
    found = CliRunner().invoke(main, ["rules", "test", str(tests)])
    assert (found.exit_code, found.output) == (0, f"{tests}: slow: ok\n")
