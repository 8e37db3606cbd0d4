"""``[rule.NAME]`` tables."""

import tomllib

import pytest
import tomli_w

from nightowl.config import load, rule_from_spec, rule_to_toml
from nightowl.config.rules import STRATEGIES
from nightowl.core.errors import ConfigurationError
from nightowl.core.limits import Limit
from nightowl.core.rule import Baseline, Rule
from nightowl.core.values import Severity

BACKLOG = """
[rule.backlog]
metric = "celery_queue_length"
where = { cluster = "shop", queue_name = "emails" }
above = 1000
recover = 500
for = "5m"
"""

DROP = """
[rule.orders-drop]
metric = "orders_total"
counter = true
strategy = "period"
average = "10m"
compare = ["1d", "1w"]
below = "-40%"
severity = "critical"
"""

JUMP = """
[rule.disk-jump]
metric = "disk_used_bytes"
strategy = "floating"
baseline = { of = "median", over = "30m" }
above = "+20%"
"""


def test_the_rules_of_the_design_mean_what_they_say(configured):
    rules = configured(BACKLOG + DROP + JUMP).rules
    assert rules["backlog"] == Rule(
        name="backlog",
        metric="celery_queue_length",
        where={"cluster": "shop", "queue_name": "emails"},
        limits=(Limit("above", 1000.0),),
        recover=500.0,
        for_=300.0,
    )
    assert rules["orders-drop"] == Rule(
        name="orders-drop",
        metric="orders_total",
        counter=True,
        strategy="period",
        average=600.0,
        compare=(86_400.0, 604_800.0),
        limits=(Limit("below", -40.0, relative=True, unit="%"),),
        severity=Severity.CRITICAL,
    )
    assert rules["disk-jump"].baseline == Baseline(of="median", over=1800.0)
    assert rules["disk-jump"].limits == (Limit("above", 20.0, relative=True, unit="%"),)


def test_groups_are_named_and_an_empty_list_makes_one_of_all(configured):
    rules = configured(
        '[rule.a]\nmetric = "m"\nabove = 1\nby = ["q"]\n[rule.b]\nmetric = "m"\nabove = 1\nby = []'
    ).rules
    assert (rules["a"].by, rules["b"].by) == (("q",), ())


@pytest.mark.parametrize(
    ("line", "key", "allowed"),
    [
        ("above = true", "above", "a number, or where the limit is relative"),
        ("above = nan", "above", "a number, or where the limit is relative"),
        ('above = "20%"', "above", "a number, or where the limit is relative"),
        ("above = 1\nrecover = inf", "recover", "a finite number"),
        ("above = 1\nfor = 5", "for", "a duration"),
        ('above = 1\nby = ["a", "a"]', "by", "each once"),
        ("above = 1\nmin_points = 0", "min_points", "a whole number from 1"),
    ],
)
def test_what_is_wrong_with_a_key_is_said(mistakes, line, key, allowed):
    found = mistakes(f'[rule.r]\nmetric = "m"\n{line}')
    assert allowed in found[f"rule.r.{key}"][1]


def test_a_metric_is_named_without_labels(mistakes):
    found = mistakes('[rule.r]\nmetric = "m{a=1}"\nabove = 1')
    assert found["rule.r.metric"][1].endswith("labels go into where")


OWN = """
[rule.disk]
metric = "disk_free_bytes"
strategy = "slope"
parameters = { hours = 4, on = ["a"] }
over = "6h"
recover = 5
baseline = { over = "1h" }
average = "5m"
compare = ["1d"]
above = 1
below = "-3 sigma"
at_most = 9
"""


def test_a_plug_in_may_use_any_key_and_parameters_of_its_own(tmp_path):
    (tmp_path / "nightowl.toml").write_text(OWN)
    rule = load(tmp_path / "nightowl.toml", strategies=(*STRATEGIES, "slope")).rules["disk"]
    assert rule.parameters == {"hours": 4, "on": ["a"]}
    assert (rule.over, rule.recover, rule.average, len(rule.limits)) == (21_600.0, 5.0, 300.0, 3)


def test_a_strategy_must_be_installed_and_the_installed_ones_are_named(mistakes, tmp_path):
    found = mistakes(OWN)
    assert list(found) == ["rule.disk.strategy"]
    assert found["rule.disk.strategy"][1] == "a strategy (fixed, floating, period, absent) [NO30]"
    (tmp_path / "nightowl.toml").write_text(OWN)
    with pytest.raises(ConfigurationError, match=r"a strategy \(fixed, slopes\)"):
        load(tmp_path / "nightowl.toml", strategies=("fixed", "slopes"))


@pytest.mark.parametrize("value", ["2026-11-29", "[1, [inf]]", "{ a = nan }"])
def test_parameters_are_what_json_has_too(mistakes, value):
    found = mistakes(f'[rule.r]\nmetric = "m"\nstrategy = "fixed"\nabove = 1\nparameters = {{ own = {value} }}')
    assert "texts, finite numbers, true, false, lists and tables" in found["rule.r.parameters"][1]


def test_recover_beside_a_limit_that_is_none_is_no_further_mistake(mistakes):
    found = mistakes('[rule.r]\nmetric = "m"\nabove = "2"\nrecover = 3')
    assert "rule.r.recover" not in found


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("compare", [f"{number}s" for number in range(1, 10)], "up to 8 durations"),
        ("by", [f"label{number}" for number in range(51)], "up to 50 names"),
        ("where", {f"label{number}": "*" for number in range(51)}, "up to 50 labels"),
        ("where", {"queue": "*a" * 251}, "up to 500 characters"),
        ("metric", "m" * 501, "the name of a metric"),
        ("over", "401d", "at most 400d"),
        ("stale", "401d", "at most 400d"),
    ],
)
def test_a_rule_is_bounded_in_what_it_can_ask_for(mistakes, key, value, allowed):
    rule = {"metric": "m", "above": 1, key: value}
    found = mistakes(tomli_w.dumps({"rule": {"r": rule}}))
    assert allowed in found[f"rule.r.{key}"][1]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_built_in_strategies_take_no_parameters(mistakes, strategy):
    found = mistakes(f'[rule.r]\nmetric = "m"\nstrategy = "{strategy}"\nparameters = {{ hours = 4 }}')
    assert f'no such key beside strategy = "{strategy}" [NO31]' in found["rule.r.parameters"][1]


SPEC = {
    "metric": "m",
    "where": {"q": "mail*", "odd name": 'a"b'},
    "by": ["a", "b"],
    "strategy": "floating",
    "baseline": {"of": "mean", "over": "30m"},
    "above": "+20%",
    "tags": {},
    "for": "5m",
    "counter": True,
}


def test_a_specification_makes_the_rule_that_its_table_makes(configured):
    text = rule_to_toml("slow.eu", SPEC)
    assert 'where = { q = "mail*", "odd name" = "a\\"b" }\nby = ["a", "b"]' in text
    found = configured(text)
    assert found.rules["slow.eu"] == rule_from_spec("slow.eu", SPEC)
    assert found.rule_specs == {"slow.eu": SPEC}


def test_tables_within_tables_are_written_on_one_line():
    spec = {"metric": "m", "parameters": {"deep": {"er": [1, {"x": "y"}], "none": {}}}}
    text = rule_to_toml("r", spec)
    assert tomllib.loads(text) == {"rule": {"r": spec}}
    assert text.count("\n") == 3


def test_every_mistake_of_a_specification_is_told_at_once():
    with pytest.raises(ConfigurationError) as raised:
        rule_from_spec("new", {"metric": "m", "runbook": "${env:HOME}", "for": None, "strategy": "none"})
    keys = {mistake.key for mistake in raised.value.mistakes}
    assert keys >= {"rule.new", "rule.new.runbook", "rule.new.for"}
