"""``[source.NAME]`` tables, and rules on them."""

import pytest

from nightowl.core.reading import SourceSettings

PROM = """
[source.prom]
kind = "prometheus"
url = "http://127.0.0.1:9090"
"""
HEAT = """
[rule.heat]
source = "prom"
metric = "temperature_celsius"
where = { device = "$id" }
above = 70
"""


def test_a_source_is_what_its_table_says(configured):
    assert configured(PROM).sources == {
        "prom": SourceSettings(name="prom", kind="prometheus", url="http://127.0.0.1:9090")
    }


def test_identifiers_come_from_a_list_or_from_a_file_with_one_a_line(configured, tmp_path):
    (tmp_path / "devices.txt").write_text("# all of them\na\n\n b \na\n")
    for given in ('["a", "b"]', '"devices.txt"'):
        loaded = configured(f"{PROM}{HEAT}identifiers = {given}")
        assert loaded.rules["heat"].identifiers == ("a", "b")
    assert tmp_path / "devices.txt" in loaded.files


@pytest.mark.parametrize(
    ("given", "found", "allowed"),
    [
        ('"none.txt"', '"none.txt"', "a file that is there"),
        ('["a", ""]', "''", "identifiers of 1 to 200 characters"),
        ('["a\\nb"]', "'a\\nb'", "identifiers of 1 to 200 characters"),
        ("[]", "[]", "a list of texts"),
        ("5", "5", "a list of texts"),
    ],
)
def test_identifiers_that_cannot_be_are_told(mistakes, given, found, allowed):
    told = mistakes(f"{PROM}{HEAT}identifiers = {given}")["rule.heat.identifiers"]
    assert found in told[0]
    assert allowed in told[1]


def test_a_file_without_identifiers_is_told(mistakes, tmp_path):
    (tmp_path / "devices.txt").write_text("# nobody\n")
    assert "[NO43]" in mistakes(f'{PROM}{HEAT}identifiers = "devices.txt"')["rule.heat.identifiers"][1]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('timeout = "20s"', "timeout"),
        ('url = "ftp://x/"', "url"),
        ('headers = { "a b" = "x" }', "headers"),
        ("auth = { }", "auth"),
    ],
)
def test_what_is_wrong_with_a_key_of_a_source_is_said(mistakes, line, key):
    table = PROM.replace('url = "http://127.0.0.1:9090"\n', "") if key == "url" else PROM
    assert f"source.prom.{key}" in mistakes(f"{table}{line}")


def test_the_secrets_of_a_source_are_not_shown(mistakes):
    text = f'{PROM}auth = {{ bearer = "sekrit-token" }}\nheaders = {{ X-Api-Key = "sekrit-key" }}\ntimeout = 5'
    told = mistakes(text + '\n[source.two]\nkind = "prometheus"\nurl = "http://owl:sekrit-pw@p/"\nx = 1')
    assert "sekrit" not in str(told)
