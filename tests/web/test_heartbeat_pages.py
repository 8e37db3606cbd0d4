"""The page and the API of a heartbeat."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from nightowl.core.values import User
from nightowl.web import heartbeats, passwords

BACKUP = "nightly-backup"


def path_of(world: Any) -> str:
    with world.store.read() as unit:
        return heartbeats.path(unit, world.handlers.settings.secret_key, BACKUP)


def signed_in(world: Any, role: Any) -> Any:
    """A browser of somebody with this role."""
    with world.store.transaction() as unit:
        unit.users.put(User(name=role, role=role, password_hash=passwords.hashed("correct horse battery")))
    client = world.client("https://owl.example", is_loopback=False, public_url="https://owl.example")
    token = csrf(client, "/login")
    answer = client.post("/login", data={"name": role, "password": "correct horse battery", "csrf": token})
    assert answer.status_code == 303
    return client


def csrf(client: Any, path: str) -> str:
    text: str = client.get(path).text
    return text.partition('name="csrf" value="')[2].partition('"')[0]


@pytest.fixture
def beats(world: Any) -> Any:
    """The scene with two heartbeats."""
    with world.store.transaction() as unit:
        sys.modules["scene"].beat(unit, world.clock.now())
    return world


def test_the_page_says_where_the_job_calls_and_what_it_said(beats: Any) -> None:
    text = beats.client(link="https://owl.example").get(f"/checks/{BACKUP}").text
    assert f"https://owl.example{path_of(beats)}/$?" in text
    assert "The job ended with exit code 1." in text
    assert "at 03:00 every day, Europe/Paris" in text
    assert "&lt;b&gt;connection&lt;/b&gt;" in text
    assert "734.2 s" in text
    assert "Run now" not in text


def test_a_job_that_never_called_is_waited_for(beats: Any) -> None:
    text = beats.client().get("/checks/weekly-report").text
    assert "Waiting for the first call." in text
    assert "The job has not called yet." in text


@pytest.mark.parametrize("path", ["/", "/checks", "/locations", "/incidents", f"/checks/{BACKUP}.json"])
def test_other_pages_take_heartbeats_like_any_check(beats: Any, path: str) -> None:
    answer = beats.client().get(path)
    assert answer.status_code == 200
    assert "of 0 locations" not in answer.text


@pytest.mark.parametrize("path", [f"/checks/{BACKUP}", f"/checks/{BACKUP}.json", f"/api/v1/checks/{BACKUP}/heartbeat"])
def test_only_operators_see_the_url(beats: Any, path: str) -> None:
    secret = path_of(beats).removeprefix("/ping/")
    assert secret not in signed_in(beats, "viewer").get(path).text
    assert secret in signed_in(beats, "operator").get(path).text


def test_the_button_makes_another_url(beats: Any) -> None:
    client, before = beats.client(), path_of(beats)
    token = csrf(client, f"/checks/{BACKUP}")
    assert client.post(f"/checks/{BACKUP}/new-url", data={"csrf": token}).status_code == 409
    assert path_of(beats) == before
    assert client.post(f"/checks/{BACKUP}/new-url", data={"csrf": token, "confirm": "yes"}).status_code == 303
    assert path_of(beats) != before


def test_a_heartbeat_cannot_be_run_from_here(beats: Any) -> None:
    answer = beats.client().post(f"/api/v1/checks/{BACKUP}/run")
    assert answer.status_code == 409
    assert "its job calls when it runs" in answer.json()["error"]


def test_the_api_tells_where_a_heartbeat_stands(beats: Any) -> None:
    client = beats.client(link="https://owl.example")
    assert client.get(f"/api/v1/checks/{BACKUP}").json()["kind"] == "heartbeat"
    found = client.get(f"/api/v1/checks/{BACKUP}/heartbeat").json()
    assert found["url"] == f"https://owl.example{path_of(beats)}"
    assert (found["expected"], found["deadline"]) == ("2025-11-21T02:00:00Z", "2025-11-21T02:20:00Z")
    calls = client.get(f"/api/v1/checks/{BACKUP}/pings?limit=2").json()["pings"]
    assert [(each["signal"], each["exit_code"]) for each in calls] == [("fail", 1), ("start", None)]
    made = client.post(f"/api/v1/checks/{BACKUP}/new-url").json()
    assert made["url"] == f"https://owl.example{path_of(beats)}" != found["url"]
    assert client.get("/api/v1/checks/shop-front/heartbeat").status_code == 404


def test_metrics_have_heartbeats_without_a_location(beats: Any) -> None:
    assert f'check_up{{check="{BACKUP}"}} 0.0\n' in beats.client().get("/metrics").text


def test_a_heartbeat_is_added_and_edited_by_a_form_of_its_own(world: Any) -> None:
    client = world.client()
    text = client.get("/add?kind=heartbeat").text
    assert 'name="cron"' in text
    assert 'name="url"' not in text
    given = {"csrf": csrf(client, "/add"), "kind": "heartbeat", "name": "import", "cron": "0 3 * *", "timezone": "UTC"}
    refused = client.post("/add", data=given)
    assert refused.status_code == 422
    assert "0 3 * * does not work. Allowed: a cron expression" in refused.text
    assert client.post("/add", data={**given, "cron": "", "every": ""}).text.count("Give either an interval") == 1
    assert client.post("/add", data={**given, "cron": "0 3 * * *", "grace": "20m"}).status_code == 303
    with world.store.read() as unit:
        assert unit.checks.get("import").spec == {"kind": "heartbeat", "cron": "0 3 * * *", "grace": "20m"}
    assert 'value="0 3 * * *"' in client.get("/checks/import/edit").text
    edited = {**given, "cron": "", "every": "1h", "grace": "5m"}
    assert client.post("/checks/import/edit", data=edited).status_code == 303
    with world.store.read() as unit:
        assert unit.checks.get("import").spec == {"kind": "heartbeat", "every": "1h"}
