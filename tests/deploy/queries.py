"""The queries of our dashboards and rules for Prometheus, with Grafana's variables replaced as Grafana does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from deploy.grafana.generate import boards
from deploy.grafana.model import dashboard

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/nightowl.rules.yml"
CELERY_JOB, OWN_JOB, ROLES_JOB = "nightowl-shop", "nightowl", "nightowl-roles"
RANGE = "1h"

ABSENT = {
    "celery_active_consumer_count": "Redis does not tell who consumes a queue; RabbitMQ does",
    "nightowl_evaluate_late_total": "there is no rule on a source",
    "nightowl_evaluate_missed_total": "there is no rule on a source",
    "nightowl_evaluate_portions_total": "there is no rule on a source",
    "nightowl_evaluate_resent_total": "there is no rule on a source",
    "nightowl_evaluate_seconds": "there is no rule on a source",
    "nightowl_evaluator_expired_total": "no evaluator runs",
    "nightowl_evaluator_garbage_total": "no evaluator runs",
    "nightowl_evaluator_portions_total": "no evaluator runs",
    "nightowl_events_refused_total": "every message was an event",
    "nightowl_hook_deliveries_total": "there is no hook",
    "nightowl_hook_dropped_total": "there is no hook",
    "nightowl_sink_dropped_total": "there is no sink",
    "nightowl_sink_lag_seconds": "there is no sink",
    "nightowl_sink_queue": "there is no sink",
    "nightowl_sink_samples_total": "there is no sink",
}
"""Metrics that the installation of the test rightly does not have; queries of them give 0, or are ``WITHOUT_DATA``."""

WITHOUT_DATA = {
    "NightOwl: Celery queues / Consumers / A": "Redis does not tell who consumes a queue; RabbitMQ does",
    'NightOwlSinkBehind {"severity": "warning"}': "there is no sink",
}
"""Queries that rightly have no data there, by where they stand; Prometheus has read them."""

_LABELLED = re.compile(r"label_values\((?P<metric>\w+)(?P<selected>\{.*\})?, (?P<label>\w+)\)")
_METRIC = re.compile(r"\b(?:celery_|check_|nightowl[_:]|process_)\w*(?::\w+)*\b")
_COMPARED = re.compile(r" (==|>=|<=|>|<) ")


def models(source: str) -> list[dict[str, Any]]:
    """The dashboards of a source."""
    return [dashboard(board) for board in boards() if board.source == source]


def targets(model: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where each query of a dashboard stands, in words, and the query."""
    for panel in model["panels"]:
        for target in panel.get("targets", ()):
            yield f"{model['title']} / {panel['title']} / {target['refId']}", target


def filled(text: str, model: dict[str, Any], rate: str, **chosen: str) -> str:
    """A query with the variables of its dashboard: all, the first, or what is chosen."""
    values = {"__rate_interval": rate, "__range": RANGE, "job": CELERY_JOB, **chosen}
    for variable in model["templating"]["list"]:
        if variable["type"] == "custom":
            values.setdefault(variable["name"], variable["options"][0]["value"])
        elif variable.get("includeAll"):
            values.setdefault(variable["name"], variable["allValue"])
    whole = re.sub(r"\$(\w+)", lambda found: values[found[1]], text)
    assert "$" not in whole, whole
    return whole


def of_dashboards(rate: str) -> dict[str, str]:
    """Each query by where it stands."""
    return {
        where: filled(target["expr"], model, rate) for model in models("prometheus") for where, target in targets(model)
    }


def of_variables() -> Iterator[tuple[str, str]]:
    """What choices are asked for: a selector of series, and the label whose values they are."""
    for model in models("prometheus"):
        for variable in model["templating"]["list"]:
            if variable["type"] == "query":
                found = _LABELLED.fullmatch(variable["query"])
                assert found, variable["query"]
                yield filled(found["metric"] + (found["selected"] or ""), model, ""), found["label"]


def rules(kind: str) -> dict[str, str]:
    """The expressions of rules: of ``record`` or ``alert``."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    listed = [rule for group in groups for rule in group["rules"] if kind in rule]
    return {f"{rule[kind]} {json.dumps(rule.get('labels', {}))}": rule["expr"] for rule in listed}


def of_alerts() -> dict[str, str]:
    """What alerts compare, whether it is in breach or not."""
    return {
        name: _COMPARED.sub(r" \1 bool ", expression).replace(" unless ", " and ")
        for name, expression in rules("alert").items()
    }


def named() -> set[str]:
    """All metrics that dashboards and rules name, and those that rules record."""
    recorded = rules("record")
    texts = [*of_dashboards("1m").values(), *recorded, *recorded.values(), *rules("alert").values()]
    return {name for text in texts for name in _METRIC.findall(text)}
