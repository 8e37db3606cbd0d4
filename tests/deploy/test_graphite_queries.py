"""A real Graphite answers every target and every choice of our dashboards for it."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.deploy.graphite_samples import points
from tests.deploy.queries import filled, models, targets
from tests.servers.graphite_server import Graphite

SECONDS = 60
PREFIX = "grafanatest"


def ask(graphite: Graphite, path: str, **parameters: str) -> Any:
    """An answer. Raises ``AssertionError`` with what Graphite says of a request that it does not take."""
    try:
        with urlopen(f"{graphite.url}{path}?{urlencode(parameters)}", timeout=30) as answer:
            return json.load(answer)
    except HTTPError as error:
        raise AssertionError(f"{parameters}: {error.read().decode()[-2000:]}") from None


def values(graphite: Graphite, target: str) -> list[float]:
    """What is drawn."""
    found = ask(graphite, "/render", target=target, format="json", **{"from": f"-{SECONDS}s"})
    return [value for series in found for value, _ in series["datapoints"] if value is not None]


@pytest.mark.graphite
def test_each_target_and_each_choice_has_data(graphite: Graphite) -> None:
    known = list(points(PREFIX, int(time.time()), SECONDS))
    graphite.write(known)
    files = {graphite.folder / "whisper" / f"{path.replace('.', '/')}.wsp" for path, *_ in known}
    end = time.monotonic() + 30
    while not all(file.exists() for file in files):
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
    assert [choice for choice in choices if not ask(graphite, "/metrics/expand", query=choice)["results"]] == []
    assert [where for where, target in asked.items() if not values(graphite, target)] == []
