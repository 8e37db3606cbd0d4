"""``nightowl rules test``."""

import pytest
from click.testing import CliRunner

from nightowl.cli import main

RULES = '[rule.backlog]\nmetric = "queue_length"\nabove = 100\nfor = "2m"\n'
SERIES = """series = { 'queue_length{queue="mail"}' = "0x2 500x5 0x3" }"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "nightowl.toml").write_text(RULES)

    def run(text):
        path = tmp_path / "tests.toml"
        path.write_text(text)
        found = CliRunner().invoke(main, ["rules", "test", str(path)])
        return found.exit_code, found.output.replace(f"{path}: ", "")

    return run


def file(*expect, more=""):
    lines = ", ".join(f'{{ at = "{at}", rule = "backlog", state = "{state}"{more} }}' for at, state in expect)
    return f'rules = "nightowl.toml"\n[test.full]\n{SERIES}\nexpect = [{lines}]\n'


def test_what_holds_is_ok(run):
    good = file(("2m", "OK"), ("3m", "PENDING"), ("5m", "FIRING"), ("9m", "OK"))
    assert run(good) == (0, "full: ok\n")


def test_each_expectation_that_fails_is_told_with_what_was_found(run):
    code, output = run(file(("3m", "FIRING"), ("5m", "FIRING"), ("9m", "FIRING")))
    assert code == 1
    assert output.splitlines() == [
        'full: at 180 s, backlog, queue_length{queue="mail"}: expected FIRING, found PENDING (500 > 100)',
        'full: at 540 s, backlog, queue_length{queue="mail"}: expected FIRING, found OK (0 is not > 100)',
    ]


def test_a_series_must_be_named_where_there_are_several(run):
    text = file(("5m", "FIRING")).replace('0x3" }', '0x3", \'queue_length{queue="pdf"}\' = "0x9" }')
    code, output = run(text)
    assert code == 1
    assert "name the series that is meant" in output
    named = text.replace('state = "FIRING"', """state = "FIRING", series = 'queue_length{queue="mail"}'""")
    assert run(named) == (0, "full: ok\n")


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        (file(("5m", "firing")), "test.full.expect[0].state", "one of OK, PENDING, FIRING"),
        (file(("soon", "OK")), "test.full.expect[0].at", "a duration"),
        (file(("5m", "OK"), more=", oops = 1"), "test.full.expect[0].oops", "one of at, rule, series, state"),
        (file(("5m", "OK")).replace("0x2", "zero"), "test.full.series", "values such as"),
        (file(("5m", "OK")).replace('"backlog"', '"backlok"'), "test.full.expect[0].rule", "a rule of"),
        ("[test.full]\n" + SERIES, "rules", "the configuration with the rules"),
        ('rules = "nightowl.toml"', "test", "at least one table"),
        (file(("5m", "OK")) + "[other]\n", "other", "one of rules, test"),
        ("rules = ", "end of file", "TOML"),
    ],
)
def test_a_wrong_file_says_what_is_allowed(run, text, key, allowed):
    code, output = run(text)
    assert code == 2
    assert key in output
    assert allowed in output
