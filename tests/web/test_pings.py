"""The URLs that jobs call."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from nightowl.core.errors import StoreUnavailable
from nightowl.core.values import Author, Ping
from nightowl.ports import StoredCheck
from nightowl.web import heartbeats, pings

KEY = b"k" * 32


def define(world: Any, name: str = "backup", **spec: Any) -> None:
    spec = spec or {"kind": "heartbeat", "every": "1h"}
    with world.store.transaction() as unit:
        unit.checks.put(StoredCheck(name=name, origin="stored", paused=False, spec=spec))


def path_of(world: Any, name: str = "backup") -> str:
    with world.store.read() as unit:
        return heartbeats.path(unit, KEY, name)


def calls(world: Any, name: str = "backup") -> list[Ping]:
    with world.store.read() as unit:
        return unit.heartbeats.pings(name, 100)


@pytest.fixture
def backup(empty: Any) -> str:
    define(empty)
    return path_of(empty)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_call_needs_nothing_but_its_url(empty: Any, backup: str, method: str) -> None:
    client = empty.client("https://owl.example", is_loopback=False, public_url="https://owl.example")
    answer = client.request(method, backup)
    assert answer.status_code == 200
    assert answer.text == ("" if method == "HEAD" else "ok\n")
    assert "set-cookie" not in answer.headers
    assert [(each.signal, each.at, each.source) for each in calls(empty)] == [
        ("success", empty.clock.now(), "testclient")
    ]


@pytest.mark.parametrize(
    ("end", "signal", "code"),
    [
        ("/start", "start", None),
        ("/success", "success", None),
        ("/fail", "fail", None),
        ("/0", "success", 0),
        ("/137", "fail", 137),
    ],
)
def test_what_a_job_says(empty: Any, backup: str, end: str, signal: str, code: int | None) -> None:
    assert empty.client().post(backup + end).status_code == 200
    assert [(each.signal, each.exit_code) for each in calls(empty)] == [(signal, code)]


@pytest.mark.parametrize("end", ["/256", "/-1", "/maybe", "/1/2", "/٣", "/", "/start/", "//"])
def test_what_means_nothing_is_not_found(empty: Any, backup: str, end: str) -> None:
    answer = empty.client().post(backup + end)
    assert (answer.status_code, answer.text) == (404, "unknown\n")
    assert "location" not in answer.headers
    assert calls(empty) == []


def test_an_unknown_token_is_not_found(empty: Any, backup: str) -> None:
    assert empty.client().get(backup[:-1] + ("A" if backup[-1] != "A" else "B")).status_code == 404


def test_the_end_of_a_log_is_kept_and_a_large_one_cut(empty: Any, backup: str) -> None:
    empty.client().post(backup, content=b"x" * 50_000 + b"\xff\0 the end")
    (call,) = calls(empty)
    assert call.tail.endswith("x\ufffd\ufffd the end")
    assert len(call.tail) == pings.TAIL


def test_a_body_without_end_is_not_waited_for(empty: Any, backup: str) -> None:
    def endless() -> Any:
        for _ in range(3 * pings.BODY // 65536):
            yield b"y" * 65536

    assert empty.client().post(backup, content=endless()).status_code == 200
    assert len(calls(empty)) == 1


def test_a_new_url_takes_the_place_of_the_old_one(empty: Any, backup: str) -> None:
    client = empty.client()
    client.get(backup)
    newer = heartbeats.renew(empty.store, KEY, "backup", Author("local", "local", ""), 1.0)
    assert newer == path_of(empty) != backup
    assert client.get(backup).status_code == 404
    assert client.get(newer).status_code == 200


def test_a_check_that_is_defined_again_has_another_url(empty: Any, backup: str) -> None:
    empty.client().get(backup)
    with empty.store.transaction() as unit:
        unit.checks.remove("backup")
    define(empty)
    assert path_of(empty) != backup
    assert empty.client().get(backup).status_code == 404


def test_a_url_made_under_another_secret_works_on_and_is_not_shown(empty: Any, backup: str) -> None:
    assert empty.client().get(backup).status_code == 200
    other = empty.client(secret_key=b"o" * 32)
    assert other.get(backup).status_code == 200
    with empty.store.read() as unit:
        assert heartbeats.path(unit, b"o" * 32, "backup") == ""


def test_a_check_that_is_no_heartbeat_any_more_is_not_called(empty: Any, backup: str) -> None:
    empty.client().get(backup)
    define(empty, url="https://shop.example")
    assert empty.client().get(backup).status_code == 404


def test_a_job_that_calls_without_pause_is_slowed_down(empty: Any, backup: str) -> None:
    client = empty.client()
    answers = [client.get(backup).status_code for _ in range(12)]
    assert answers == [200] * 10 + [429] * 2
    empty.clock.time += 1.0
    assert client.get(backup).status_code == 200


def test_a_call_while_the_store_is_away_is_to_be_repeated(
    empty: Any, backup: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = empty.client()
    client.get(backup)

    def away(*_: object) -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(empty.store, "transaction", away)
    answer = client.get(backup)
    assert (answer.status_code, answer.text, answer.headers["retry-after"]) == (503, "not now\n", "1")


def test_nothing_logs_a_token(empty: Any, backup: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = empty.client()
    for end in ("", "/start", "/nonsense"):
        client.post(backup + end)
    ours = [record for record in caplog.records if not record.name.startswith("httpx")]
    assert backup.removeprefix("/ping/") not in "\n".join(record.getMessage() for record in ours)


def test_a_url_is_answered_below_a_prefix(empty: Any, backup: str) -> None:
    assert empty.client(url_prefix="/owl").get(f"/owl{backup}").status_code == 200
