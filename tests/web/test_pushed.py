"""Where workers push their events."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from nightowl.core.cluster.settings import ClusterSettings
from nightowl.wire import pushing

URL = "/api/v1/clusters/shop/events"
EVENTS = [{"type": "task-sent", "uuid": str(number), "hostname": "web-1", "timestamp": 5.0} for number in range(20)]


@pytest.fixture
def world(empty: Any) -> Any:
    empty.clusters["shop"] = ClusterSettings(name="shop", broker="sqla+sqlite://")
    return empty


def parcels(world: Any) -> list[Any]:
    return [parcel for _, parcel in world.handlers.tasks.inbox.parcels("shop", 0, 10)]


def pushed(client: TestClient, body: object, **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(URL, content=content, headers={"Content-Type": "application/json", **headers})


def test_events_are_kept_for_the_watcher(world: Any) -> None:
    client = world.client()
    answer = pushed(client, EVENTS)
    assert (answer.status_code, answer.json()) == (202, {"taken": 20, "refused": {}})
    packed = gzip.compress(json.dumps([*EVENTS, {"no": "type"}]).encode())
    answer = pushed(client, packed, **{"Content-Encoding": "gzip", "X-NightOwl-Dropped": "7 since 900.5"})
    assert answer.json() == {"taken": 20, "refused": {"no event": 1}}
    plain, compressed = parcels(world)
    assert [event.uuid for event in plain.events] == [str(number) for number in range(20)]
    assert (plain.events, compressed.refused) == (compressed.events, {"no event": 1})
    assert [(gap.start, gap.lost) for gap in compressed.gaps] == [(900.5, 7)]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", {}, 422),
        (b"nothing", {}, 422),
        (EVENTS * 51, {}, 422),
        (b"[" + b" " * 1_100_000 + b"]", {}, 413),
        (gzip.compress(b" " * 9_000_000, mtime=0), {"Content-Encoding": "gzip"}, 413),
        (gzip.compress(b"[]" * 999, mtime=0)[:-9], {"Content-Encoding": "gzip"}, 400),
        (b"[]", {"Content-Encoding": "gzip"}, 400),
        (b"[]", {"Content-Encoding": "br"}, 415),
    ],
)
def test_what_cannot_be_taken_is_refused_whole(world: Any, body: Any, headers: dict[str, str], status: int) -> None:
    answer = pushed(world.client(), body, **headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]
    assert parcels(world) == []


def test_a_cluster_that_is_not_configured_is_not_there(world: Any) -> None:
    answer = world.client().post("/api/v1/clusters/bank/events", json=EVENTS)
    assert answer.status_code == 404


def test_events_wait_outside_while_there_is_no_room(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "ROOM", 30)
    client = world.client()
    assert [pushed(client, EVENTS).status_code for _ in range(2)] == [202, 503]
    assert len(parcels(world)) == 1


def test_only_an_operator_may_push(world: Any) -> None:
    client = world.client(is_loopback=False)
    answer = pushed(client, EVENTS, Authorization="Bearer owl_wrong")
    assert answer.status_code in (401, 403)
    assert parcels(world) == []


def test_secrets_are_hidden_before_events_are_kept(world: Any) -> None:
    told = EVENTS[0] | {
        "args": "(1,)", "kwargs": "{'password': 'hunter22'}", "result": "{'token': 'hunter22'}",
        "exception": "Refused(secret='hunter22')", "traceback": "Refused: secret='hunter22'",
    }  # fmt: skip
    assert pushed(world.client(), [told]).status_code == 202
    (parcel,) = parcels(world)
    (event,) = parcel.events
    assert (event.args, event.kwargs, event.result) == ("(1,)", "{'password': ***}", "{'token': ***}")
    assert "hunter22" not in repr(event)
