"""A real Graphite answers every target and every choice of our dashboards for it."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.deploy.graphite_samples import points
from tests.deploy.queries import filled, models, targets
from tests.servers.graphite_server import Graphite

SECONDS = 60
PREFIX = "grafanatest"


def ask(graphite: Graphite, path: str, **parameters: str) -> Any:
    with urlopen(f"{graphite.url}{path}?{urlencode(parameters)}", timeout=30) as answer:
        return json.load(answer)


def values(graphite: Graphite, target: str) -> list[float]:
    found = ask(graphite, "/render", target=target, format="json", **{"from": f"-{SECONDS}s"})
    return [value for series in found for value, _ in series["datapoints"] if value is not None]


@pytest.mark.graphite
def test_each_target_and_each_choice_has_data(graphite: Graphite) -> None:
    graphite.write(points(PREFIX, int(time.time()), SECONDS))
    received = f"{PREFIX}.shop.celery_task_received_total.*.*"
    end = time.monotonic() + 30
    while len(ask(graphite, "/metrics/find", query=received)) < 5:
        assert time.monotonic() < end, "carbon has not written"
        time.sleep(0.1)
    asked = {
        where: filled(target["target"], model, "", prefix=PREFIX)
        for model in models("graphite")
        for where, target in targets(model)
    }
    choices = [
        filled(variable["query"], model, "", prefix=PREFIX)
        for model in models("graphite")
        for variable in model["templating"]["list"]
        if variable["type"] == "query"
    ]
    assert [choice for choice in choices if not ask(graphite, "/metrics/find", query=choice)] == []
    assert [where for where, target in asked.items() if not values(graphite, target)] == []
