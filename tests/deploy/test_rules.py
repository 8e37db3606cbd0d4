"""promtool reads our rules and our scrape configuration, and each alert fires where it should and nowhere else."""

from __future__ import annotations

import subprocess

import pytest
import yaml

from tests.deploy.queries import ROOT, RULES
from tests.servers.programs import program

FOLDER = ROOT / "deploy/prometheus"


def promtool(*arguments: str) -> str:
    """What it prints. Raises ``AssertionError`` with that where something is wrong."""
    command = [program("promtool"), *arguments]
    ran = subprocess.run(command, check=False, cwd=FOLDER, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.prometheus
def test_rules_and_scraping_are_valid() -> None:
    assert "rules found" in promtool("check", "rules", RULES.name)
    assert "SUCCESS" in promtool("check", "config", "prometheus.yml")


@pytest.mark.prometheus
def test_each_alert_fires_when_it_should() -> None:
    assert "SUCCESS" in promtool("test", "rules", "nightowl.tests.yml")


def test_there_is_a_test_of_each_alert() -> None:
    alerts = [
        rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"] if "alert" in rule
    ]
    tested = yaml.safe_load((FOLDER / "nightowl.tests.yml").read_text())["tests"]
    fired = {each["alertname"] for test in tested for each in test["alert_rule_test"] if each["exp_alerts"]}
    assert fired == {alert["alert"] for alert in alerts}


def test_each_alert_says_what_is_wrong_and_how_grave_it_is() -> None:
    alerts = [
        rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"] if "alert" in rule
    ]
    assert all(alert["labels"]["severity"] in ("warning", "critical") for alert in alerts)
    assert all({"summary", "description"} <= alert["annotations"].keys() for alert in alerts)
