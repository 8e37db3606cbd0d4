"""The dashboards that are committed are those that are generated, and hang together."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from deploy.grafana.boards import FULL
from deploy.grafana.generate import FOLDER, boards, files
from deploy.grafana.model import dashboard
from tests.deploy.queries import ROOT

MODELS = [dashboard(board) for board in boards()]
PROVISIONING = ROOT / "deploy/grafana/provisioning"

each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model["uid"])


def test_the_files_are_what_is_generated():
    found = {path: path.read_text(encoding="utf-8") for path in FOLDER.glob("*/*.json")}
    assert found == files(), "run python -m deploy.grafana.generate"


def test_each_dashboard_has_an_address_of_its_own_that_grafana_takes():
    uids = [model["uid"] for model in MODELS]
    assert len(set(uids)) == len(uids)
    assert max(map(len, uids)) <= 40


@each_model
def test_each_panel_says_what_it_shows_in_which_unit(model):
    panels = [panel for panel in model["panels"] if panel["type"] != "row"]
    assert all(panel["title"] and panel["description"].endswith(".") for panel in panels)
    assert all(panel["targets"] and panel["fieldConfig"]["defaults"]["unit"] for panel in panels)
    assert len({panel["id"] for panel in model["panels"]}) == len(model["panels"])
    assert len({panel["title"] for panel in panels}) == len(panels)


@each_model
def test_no_panel_lies_over_another(model):
    taken = set()
    for panel in model["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert place["x"] + place["w"] <= FULL
        taken |= cells


@each_model
def test_stages_are_green_orange_and_red(model):
    steps = {
        panel["title"]: [step["color"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
        for panel in model["panels"]
        if ", not " in panel["title"]
    }
    assert all(colors == ["green", "orange", "red"] for colors in steps.values())
    assert len(steps) in ((4,) if "Where tasks stay" in json.dumps(model) else (0,))


@each_model
def test_each_variable_of_a_query_is_a_choice_of_the_dashboard(model):
    chosen = {variable["name"] for variable in model["templating"]["list"]} | {"__rate_interval", "__range"}
    said = json.dumps([panel.get("targets") for panel in model["panels"]])
    named = {word for word in chosen if f"${word}" in said or f"${{{word}}}" in said}
    for word in named:
        said = said.replace(f"${{{word}}}", "").replace(f"${word}", "")
    assert "$" not in said.replace("${PROP(", "")


def test_grafana_is_told_where_dashboards_and_sources_are():
    text = (PROVISIONING / "dashboards/nightowl.yaml").read_text()
    folders = re.findall(r"path: /etc/nightowl/dashboards/(\w+) ", text)
    assert set(folders) == {path.name for path in FOLDER.iterdir()}
    assert [each["options"]["path"] for each in yaml.safe_load(text)["providers"]] == [
        "/etc/nightowl/dashboards/prometheus"
    ]
    sources = yaml.safe_load((PROVISIONING / "datasources/nightowl.yaml").read_text())["datasources"]
    assert [source["type"] for source in sources] == ["prometheus"]
