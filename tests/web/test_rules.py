"""The list of rules, for people and for programs."""

import re
import sys
from collections import Counter
from datetime import datetime

import pytest
from msgspec.structs import replace

from nightowl.core.rule_state import Phase, RuleState
from nightowl.core.values import Change

scene = sys.modules["rule_scene"]


@pytest.fixture
def client(ruled):
    return ruled.client()


def text(source):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", source.partition("<main")[2]))


def test_rules_are_listed_worst_first(client):
    rows = client.get("/rules.json").json()["rows"]
    assert [(row["name"], row["state"]) for row in rows] == [
        ("burning", "firing"), ("backlog", "firing"), ("gone", "no data"), ("rising", "pending"),
        ("easing", "recovering"), ("silent", "unknown"), ("at-rest", "ok"),
    ]  # fmt: skip


def test_a_rule_says_what_it_looks_at_and_how_many_series_are_in_which_state(client):
    page = text(client.get("/rules").text)
    assert "backlog queue_length where queue=mail* above 1000, recovers at 500, for 5 min warning 1 firing, 1 p" in page
    assert "silent more than 20 % above the median of the 30 min before" in page


def test_of_a_rule_at_rest_no_number_of_series_is_made_up(client):
    assert re.search(r"at-rest check_up below 1 warning ok or no series yet", text(client.get("/rules").text))
    assert client.get("/rules.json").json()["rows"][-1]["counts"] == {}


def test_a_series_leads_to_its_incident_and_says_since_when(client):
    page = client.get("/rules").text
    assert '<a data-row href="/incidents/backlog-is-open">queue_length{queue=&#34;mail-out&#34;}</a>' in page
    assert '<a data-row href="/incidents/gone-is-silent">gone</a>' in page
    assert client.get("/incidents/backlog-is-open").status_code == 200
    told = text(page)
    assert "queue_length{queue=&#34;mail-out&#34;} for 20 min" in told
    assert "queue_length{queue=&#34;mail-in&#34;} for 1 min" in told
    assert "burn for 2 h , without data for 2 min" in told
    assert "ease over in 4 min" in told


def test_labels_are_shown_as_text_only(client):
    assert "<b>&" not in client.get("/rules").text
    assert "x=&#34;&lt;b&gt;&#34;" in client.get("/rules").text


def test_what_fires_has_the_shape_of_its_severity(client):
    page = client.get("/rules").text
    assert re.search(r'id="rule-burning" class="down"', page)
    assert re.search(r'id="rule-backlog" class="degraded"', page)


def test_of_many_series_the_worst_are_listed_and_all_are_counted(ruled, client):
    with ruled.store.transaction() as unit:
        for number in range(30):
            scene.stand(unit, "backlog", RuleState(Phase.PENDING, since=1.0), queue=f"mail-{number}")
    row = next(row for row in client.get("/rules.json").json()["rows"] if row["name"] == "backlog")
    assert row["counts"] == {"firing": 1, "pending": 31}
    assert (len(row["series"]), row["series"][0]["state"]) == (20, "firing")
    assert "and 12 more" in text(client.get("/rules").text)


def test_a_rule_that_was_removed_is_not_listed_while_its_standings_last(ruled, client):
    del ruled.rules["burning"]
    assert "burning" not in client.get("/rules.json").text


def test_without_rules_the_page_says_what_one_is(empty):
    page = text(empty.client().get("/rules").text)
    assert "There is no rule yet." in page
    assert "[rule.slow]" in page


def test_programs_are_told_the_same_with_the_ids_of_incidents(client):
    rules = {rule["name"]: rule for rule in client.get("/api/v1/rules").json()}
    assert list(rules)[:2] == ["burning", "backlog"]
    backlog = rules["backlog"]
    assert backlog["sentence"] == "queue_length where queue=mail* above 1000, recovers at 500, for 5 min"
    assert (backlog["metric"], backlog["strategy"], backlog["severity"]) == ("queue_length", "fixed", "warning")
    firing, pending = backlog["standings"]
    assert (firing["phase"], firing["incident"]) == ("FIRING", "backlog-is-open")
    assert (pending["phase"], pending["incident"], pending["labels"]) == ("PENDING", "", {"queue": "mail-in"})
    assert datetime.fromisoformat(pending["since"]) > datetime.fromisoformat(firing["since"])
    assert rules["gone"]["standings"][0]["silence"] == "gone-is-silent"
    assert rules["easing"]["standings"][0]["until"]
    assert rules["at-rest"]["standings"] == []


def test_an_incident_of_a_rule_leads_to_the_rule_with_its_series(ruled):
    client = ruled.client()
    with ruled.store.transaction() as unit:
        found = replace(unit.incidents.get("backlog-is-open"), tags={"queue": "mail-out"})
        unit.incidents.apply([Change(event="escalated", incident=found, at=ruled.clock.now(), text="worse")])
    page = client.get("/incidents/backlog-is-open").text
    [address, again] = re.findall(r'href="(/rules/[^"]*)"', page)
    assert address == again
    assert "mail-out" in address
    assert "/checks?tag=" not in page
    assert 'aria-current="true"' in client.get(address).text


def test_rules_and_own_faults_are_counted_in_header_and_badge(ruled):
    page = ruled.client().get("/").text
    tiles = re.sub(r"<[^>]*>", "", page.split('id="tiles"')[1].split("</ul>")[0])
    with ruled.store.read() as unit:
        kinds = Counter(incident.kind for incident in unit.incidents.open())
        down = unit.checks.counts()["down"]
    for kind, word in (("rule", "firing"), ("nodata", "no data"), ("own", "NightOwl")):
        assert f"{kinds[kind]} {word}" in tiles
    total = down + kinds["rule"] + kinds["nodata"] + kinds["own"]
    assert re.search(rf'id="rail-wrong" class="count"[^>]*>{total}<', page)
    assert f"<title>{down} down, {kinds['rule']} firing, {kinds['nodata']} without data, 1 own fault" in page
