"""The page, the form and the API of a check that follows a task."""

from __future__ import annotations

from typing import Any

import pytest

from nightowl.core import heartbeat
from nightowl.core.values import Check, CheckState, Heartbeat, Ping, State, Target
from nightowl.ports import StoredCheck

NAME = "nightly-report"
SPEC = {
    "kind": "task",
    "cluster": "shop",
    "task": "shop.report",
    "cron": "0 3 * * *",
    "timezone": "Europe/Paris",
    "grace": "20m",
    "max_runtime": "1h",
}
PLAN = Heartbeat(
    cron="0 3 * * *", timezone="Europe/Paris", grace=1200.0, cluster="shop", task="shop.report", max_runtime=3600.0
)


def csrf(client: Any, path: str) -> str:
    text: str = client.get(path).text
    return text.partition('name="csrf" value="')[2].partition('"')[0]


@pytest.fixture
def followed(world: Any) -> Any:
    """The scene with a task of which one run failed and another runs."""
    now = world.clock.now()
    error = "ValueError('<b>no</b>')\n\nTraceback ..."
    pings = [
        Ping(check=NAME, at=now - 100, signal="fail", run="u1", source="celery@web-1", started=now - 200, tail=error),
        Ping(check=NAME, at=now - 50, signal="start", run="u2", source="celery@web-1"),
    ]
    check = Check(name=NAME, target=Target(kind="task", url=""), locations=(), heartbeat=PLAN)
    pulse = heartbeat.follow(None, check, PLAN, now - 300)
    with world.store.transaction() as unit:
        unit.checks.put(StoredCheck(name=NAME, origin="stored", paused=False, spec=SPEC, changed=1.0))
        unit.heartbeats.add(*pings)
        for ping in pings:
            pulse, verdict = heartbeat.take(pulse, ping, ping.at)
            if verdict is not None:
                assert verdict.state is State.DOWN
                state = CheckState(check=NAME, verdict=verdict.state, since=verdict.due, last=verdict, down=1)
                unit.rounds.close([verdict], [state])
        unit.heartbeats.save([pulse])
    return world


def test_the_page_says_when_the_task_ought_to_start_and_how_its_runs_ended(followed: Any) -> None:
    text = followed.client().get(f"/checks/{NAME}").text
    for told in (
        "The task failed: ValueError(&#39;&lt;b&gt;no&lt;/b&gt;&#39;).",
        "shop.report in cluster shop",
        "at 03:00 every day, Europe/Paris",
        "1 run, since",
        "Down unless it starts by",
        "celery@web-1",
        "100.0 s",
    ):
        assert told in text
    assert "Run now" not in text
    assert "/ping/" not in text


def test_a_task_that_was_not_heard_of_yet_is_waited_for(world: Any) -> None:
    with world.store.transaction() as unit:
        unit.checks.put(StoredCheck(name=NAME, origin="stored", paused=False, spec=SPEC, changed=1.0))
    text = world.client().get(f"/checks/{NAME}").text
    assert "Waiting for the first run." in text
    assert "No run has been heard of yet." in text


@pytest.mark.parametrize("path", ["/", "/checks", "/locations", f"/checks/{NAME}.json", "/metrics"])
def test_other_pages_take_it_like_any_check(followed: Any, path: str) -> None:
    answer = followed.client().get(path)
    assert answer.status_code == 200
    assert "of 0 locations" not in answer.text


def test_the_api_tells_where_it_stands_and_gives_no_url(followed: Any) -> None:
    client = followed.client(link="https://owl.example")
    found = client.get(f"/api/v1/checks/{NAME}/heartbeat").json()
    assert (found["url"], found["expected"]) == (None, "2025-11-21T02:00:00Z")
    assert [run["id"] for run in found["runs"]] == ["u2"]
    runs = client.get(f"/api/v1/checks/{NAME}/pings").json()["pings"]
    assert [(each["signal"], each["run"], each["source"]) for each in runs] == [
        ("start", "u2", "celery@web-1"),
        ("fail", "u1", "celery@web-1"),
    ]
    assert runs[1]["started"] is not None
    assert client.post(f"/api/v1/checks/{NAME}/new-url").status_code == 409
    refused = client.post(f"/api/v1/checks/{NAME}/run")
    assert (refused.status_code, "which its cluster runs" in refused.json()["error"]) == (409, True)


def test_it_is_made_by_the_api(world: Any) -> None:
    client = world.client()
    assert client.put(f"/api/v1/checks/{NAME}", json=SPEC).status_code in (200, 201)
    refused = client.put(f"/api/v1/checks/{NAME}", json={**SPEC, "cluster": "ship"})
    assert refused.status_code == 422
    assert "a declared cluster (shop) [NO44]" in refused.text


def test_it_is_added_and_edited_by_a_form_of_its_own(world: Any) -> None:
    client = world.client()
    text = client.get("/add?kind=task").text
    assert 'name="max_runtime"' in text
    assert 'name="url"' not in text
    given = {"csrf": csrf(client, "/add"), "name": "report", **SPEC}
    refused = client.post("/add", data={**given, "task": "", "cluster": "ship"})
    assert refused.status_code == 422
    assert "Give the task&#39;s name" in refused.text
    assert client.post("/add", data=given).status_code == 303
    with world.store.read() as unit:
        assert unit.checks.get("report").spec == SPEC
    edited = {**given, "cron": "", "every": "1h", "max_runtime": "", "timezone": "UTC", "grace": "5m"}
    assert client.post("/checks/report/edit", data=edited).status_code == 303
    with world.store.read() as unit:
        assert unit.checks.get("report").spec == {
            "kind": "task",
            "cluster": "shop",
            "task": "shop.report",
            "every": "1h",
        }
