"""Rules made by programs: defined, read, tried on the past, forgotten."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from nightowl.ports import AuditFilter
from nightowl.testing.store import memory_store, memory_tasks
from nightowl.web import backtest
from tests.web.conftest import World, rule_scene

BACKLOG = {"metric": "depth", "where": {"queue": "mail*"}, "above": 100, "recover": 50, "for": "30s"}


@pytest.fixture(scope="module")
def shared():
    """An application over the samples of an hour."""
    world = World(memory_store(), memory_tasks())
    rule_scene.depths(world.store, world.clock.time)
    yield world, world.client()
    world.store.close()
    world.tasks.close()


@pytest.fixture
def depths(shared):
    """The same without rules."""
    with shared[0].store.transaction() as unit:
        for rule in unit.rule_definitions.all():
            unit.rule_definitions.remove(rule.name)
    return shared[0]


@pytest.fixture
def client(depths, shared):
    return shared[1]


def test_a_rule_is_defined_read_and_defined_again(client):
    first = client.put("/api/v1/rules/backlog", json=BACKLOG)
    assert (first.status_code, first.json()["origin"], first.json()["definition"]) == (201, "stored", BACKLOG)
    again = client.put("/api/v1/rules/backlog", json=BACKLOG | {"above": 150})
    assert (again.status_code, again.json()["definition"]["above"]) == (200, 150)
    assert again.json() == client.get("/api/v1/rules/backlog").json()
    assert [rule["name"] for rule in client.get("/api/v1/rules").json()] == ["backlog"]


def test_a_rule_says_where_it_stands_for_each_of_its_series(client):
    found = client.put("/api/v1/rules/backlog", json=BACKLOG | {"above": 9, "recover": 1}).json()
    assert (found["total"], found["more"], found["advice"]) == (2, 0, "")
    first = found["series"][0]
    assert (first["series"], first["state"], first["value"], first["bound"]) == (
        'depth{queue="mail-in"}', "ok", 10.0, 9.0,
    )  # fmt: skip
    assert first["sentence"] == "10 > 9"
    assert found["toml"].startswith('[rule.backlog]\nmetric = "depth"\nwhere = { queue = "mail*" }\nabove = 9')


def test_every_mistake_is_told_at_once_in_the_words_of_the_configuration(client):
    answer = client.put("/api/v1/rules/odd", json={"above": "high", "for": "soon", "colour": "red"})
    assert answer.status_code == 422
    told = {mistake["key"]: mistake["allowed"] for mistake in answer.json()["mistakes"]}
    assert told.keys() == {"rule.odd.metric", "rule.odd.above", "rule.odd.for", "rule.odd.colour"}
    assert "a duration such as" in told["rule.odd.for"]
    assert client.get("/api/v1/rules/odd").status_code == 404


@pytest.mark.parametrize("name", ["new", "x.json", "a b", "-x"])
def test_a_name_that_cannot_be_is_refused(client, name):
    answer = client.put(f"/api/v1/rules/{name}", json=BACKLOG)
    assert answer.status_code == 422
    assert "a name that cannot be" in answer.json()["mistakes"][0]["found"]


def test_a_rule_on_a_source_stands_in_a_file(client):
    asked = {"source": "prom", "query": "up", "above": 1}
    for answer in (
        client.put("/api/v1/rules/far", json=asked),
        client.post("/api/v1/rules/backtest", json={"rule": asked, "last": "1d"}),
    ):
        [mistake] = answer.json()["mistakes"]
        assert (answer.status_code, mistake["key"].endswith(".source")) == (422, True)
        assert "rules on a source stand in a configuration file" in mistake["allowed"]


def test_references_are_for_files(client):
    answer = client.put("/api/v1/rules/odd", json=BACKLOG | {"runbook": "https://x.example/${env:HOME}"})
    assert answer.status_code == 422
    assert "${env" in answer.json()["mistakes"][0]["found"]


def test_a_rule_of_a_file_is_read_only(ruled):
    client = ruled.client()
    for method, more in (("PUT", {"json": BACKLOG}), ("DELETE", {})):
        answer = client.request(method, "/api/v1/rules/backlog", **more)
        assert (answer.status_code, "configuration file" in answer.json()["error"]) == (409, True)
    assert client.get("/api/v1/rules/backlog").json()["origin"] == "file"


def test_a_rule_is_forgotten_once(client):
    client.put("/api/v1/rules/backlog", json=BACKLOG)
    assert client.delete("/api/v1/rules/backlog").status_code == 204
    assert client.delete("/api/v1/rules/backlog").status_code == 404
    assert client.get("/api/v1/rules/backlog").status_code == 404


def test_changes_stand_in_the_audit(depths, client):
    client.put("/api/v1/rules/audited", json=BACKLOG)
    client.put("/api/v1/rules/audited", json=BACKLOG)
    client.put("/api/v1/rules/audited", json=BACKLOG | {"above": 70})
    client.delete("/api/v1/rules/audited")
    with depths.store.read() as unit:
        entries, _ = unit.audit.page(AuditFilter(subject="audited"), 0, 9)
    assert [entry.what for entry in entries] == ["rule.delete", "rule.edit", "rule.add"]
    assert entries[1].detail == "above: 100, now 70"


def test_what_a_rule_saw_is_told_with_its_limits(client):
    client.put("/api/v1/rules/backlog", json=BACKLOG)
    found = client.get("/api/v1/rules/backlog/history", params={"series": 'depth{queue="mail-in"}'}).json()
    assert len(found["opened"]) == 2
    assert {each["upper"] for each in found["band"]} == {100.0}
    assert max(point["value"] for point in found["points"]) == 200.0
    phases = [stay["phase"] for stay in found["stays"]]
    assert phases == ["OK", "PENDING", "FIRING", "OK", "PENDING", "FIRING", "OK"]
    assert client.get("/api/v1/rules/backlog/history", params={"series": "{"}).status_code == 404


def test_a_backtest_tells_transitions_and_pages(client):
    found = client.post("/api/v1/rules/backtest", json={"rule": BACKLOG, "last": "2h"}).json()
    assert (found["pages"], found["total"], found["tried"], found["every"], found["cut"]) == (2, 2, 2, 10.0, "")
    steps = found["series"]['depth{queue="mail-in"}']
    assert [(step["before"], step["after"]) for step in steps][:3] == [
        ("OK", "PENDING"), ("PENDING", "FIRING"), ("FIRING", "OK"),
    ]  # fmt: skip
    assert list(found["opened"]) == ['depth{queue="mail-in"}']
    assert client.get("/api/v1/rules").json() == []


def test_a_group_is_tried_as_a_whole(client):
    together = {"metric": "depth", "by": [], "above": 1000, "for": "30s"}
    found = client.post("/api/v1/rules/backtest", json={"rule": together, "last": "2h"}).json()
    assert (found["pages"], found["total"], found["tried"]) == (2, 3, 1)


def test_a_backtest_that_matches_nothing_says_what_there_is(client):
    found = client.post("/api/v1/rules/backtest", json={"rule": BACKLOG | {"where": {"queue": "post"}}}).json()
    assert found["advice"] == "No series of depth has queue = post. Its values: mail-in, mail-out, video."


def test_a_backtest_is_bounded_and_says_so(client, monkeypatch):
    few = replace(backtest.ASKED, series=1, evaluations=100)
    monkeypatch.setattr("nightowl.web.api.rules.ASKED", few)
    found = client.post("/api/v1/rules/backtest", json={"rule": BACKLOG, "last": "2h"}).json()
    assert (found["total"], found["tried"], found["every"]) == (2, 1, 60.0)
    assert found["cut"].startswith("1 more series match and were not looked at. Looked at every 1 min")
    together = {"metric": "depth", "by": [], "above": 1000}
    found = client.post("/api/v1/rules/backtest", json={"rule": together, "last": "2h"}).json()
    assert (found["tried"], found["cut"].partition(":")[0]) == (
        0, "3 series are combined, and not all of them can be read here",
    )  # fmt: skip


def test_a_backtest_that_has_no_time_left_says_so(depths, client, monkeypatch):
    ticks = iter(range(10_000))
    monkeypatch.setattr(type(depths.clock), "monotonic", lambda _: float(next(ticks)))
    monkeypatch.setattr("nightowl.web.api.rules.ASKED", replace(backtest.ASKED, seconds=3.0))
    found = client.post("/api/v1/rules/backtest", json={"rule": BACKLOG, "last": "2h"}).json()
    assert found["tried"] < 2
    assert "not looked at" in found["cut"]


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"last": "soon"}, "last"), ({"every": "x"}, "every"), ({"last": "60d"}, "last"),
        ({"from": "2030-01-01T00:00:00Z"}, "from"), ({"metres": 1}, "metres"),
    ],
)  # fmt: skip
def test_what_cannot_be_tried_is_told(client, body, key):
    answer = client.post("/api/v1/rules/backtest", json={"rule": BACKLOG} | body)
    assert (answer.status_code, answer.json()["mistakes"][0]["key"]) == (422, key)


def test_one_backtest_runs_at_a_time(client, monkeypatch):
    monkeypatch.setattr(backtest, "_WAIT", 0.01)
    with backtest.alone():
        answer = client.post("/api/v1/rules/backtest", json={"rule": BACKLOG})
    assert (answer.status_code, "Another backtest" in answer.json()["error"]) == (409, True)
    assert client.post("/api/v1/rules/backtest", json={"rule": BACKLOG}).status_code == 200


def test_a_rule_that_cannot_be_evaluated_any_more_can_be_read_and_mended(depths, client):
    client.put("/api/v1/rules/backlog", json=BACKLOG)
    with depths.store.transaction() as unit:
        stored = unit.rule_definitions.get("backlog")
        unit.rule_definitions.put([replace(stored, spec={"metric": "depth"})])
    found = client.get("/api/v1/rules/backlog").json()
    assert (found["rule"], "at least one of above" in found["mistake"]) == (None, True)
    assert client.get("/api/v1/rules/backlog/history", params={"series": "depth"}).status_code == 404
    assert client.put("/api/v1/rules/backlog", json=BACKLOG).json()["mistake"] == ""


def test_what_a_rule_depends_on_must_be_there_and_must_not_depend_on_it(client):
    answer = client.put("/api/v1/rules/child", json=BACKLOG | {"depends_on": ["parent"]})
    assert (answer.status_code, answer.json()["mistakes"][0]["key"]) == (422, "rule.child.depends_on")
    assert client.put("/api/v1/rules/parent", json=BACKLOG).status_code == 201
    assert client.put("/api/v1/rules/child", json=BACKLOG | {"depends_on": ["parent"]}).status_code == 201
    answer = client.put("/api/v1/rules/parent", json=BACKLOG | {"depends_on": ["child"]})
    assert (answer.status_code, "a circle" in answer.json()["mistakes"][0]["found"]) == (422, True)
