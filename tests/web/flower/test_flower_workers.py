"""``/api/workers``, ``/api/worker/...``, ``/workers?json=1`` and ``/api/queues/length`` before a real worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.web.flower.shop import WORKER, Shop, until, working

pytestmark = [
    pytest.mark.redis,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # Celery leaves sockets open
]

OF_ALL = {"stats", "active_queues", "registered", "conf", "timestamp"}


def pool(shop: Shop) -> int:
    return len(shop.inspected()["stats"]["pool"]["processes"])


def queues(shop: Shop) -> set[str]:
    return {queue["name"] for queue in shop.inspected()["active_queues"]}


def test_workers_are_known_without_a_refresh(shop: Shop) -> None:
    answer = shop.get("/api/workers")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    worker = answer.json()[WORKER]
    assert worker.keys() >= OF_ALL
    assert {queue["name"] for queue in worker["active_queues"]} >= {"celery", "other"}
    assert "shop.add" in worker["registered"]
    assert "alternates" not in worker["stats"]["broker"]
    assert isinstance(worker["timestamp"], float)


@pytest.mark.parametrize("yes", ["y", "yes", "T", "True", "on", "1"])
def test_one_worker_tells_its_lists_of_tasks(shop: Shop, yes: str) -> None:
    told = shop.get("/api/workers", params={"refresh": yes, "workername": WORKER}).json()
    assert told.keys() == {WORKER}
    assert told[WORKER].keys() == OF_ALL | {"active", "scheduled", "reserved", "revoked"}


def test_status_alone_tells_who_is_alive(shop: Shop) -> None:
    assert shop.get("/api/workers?status=true").json()[WORKER] is True
    assert shop.get("/api/workers?status=true&refresh=1").json()[WORKER] is True
    assert WORKER in shop.get("/api/workers?status=off").json()


def test_what_is_wrong_with_a_question_is_told(shop: Shop) -> None:
    bad = shop.get("/api/workers?refresh=maybe")
    assert (bad.status_code, bad.text) == (400, "Invalid argument 'maybe' of type 'bool'")
    nobody = shop.get("/api/workers?workername=nobody@shop")
    assert (nobody.status_code, nobody.text) == (404, "Unknown worker 'nobody@shop'")
    assert nobody.headers["content-type"] == "text/plain; charset=UTF-8"


def test_an_answer_that_is_known_is_not_repeated(shop: Shop) -> None:
    answer = shop.get("/api/task/types")
    tag = answer.headers["etag"]
    again = shop.get("/api/task/types", headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert shop.get("/api/task/types", headers={"If-None-Match": '"other"'}).status_code == 200


def test_every_answer_says_that_its_type_is_to_be_believed(shop: Shop) -> None:
    for answer in (shop.get("/api/workers"), shop.get("/api/workers?refresh=x"), shop.post("/api/worker/nothing")):
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/api/workers", "/api/tasks", "/api/task/info/1", "/api/worker/shutdown/w"])
def test_methods_are_those_of_the_contract(shop: Shop, path: str) -> None:
    options = shop.client.options(path)
    assert (options.status_code, options.content) == (204, b"")
    wrong = shop.get(path) if "shutdown" in path else shop.post(path)
    assert (wrong.status_code, wrong.content) == (405, b"")
    assert shop.client.put(path).status_code == 405


def test_a_pool_grows_and_shrinks(shop: Shop) -> None:
    before = pool(shop)
    assert shop.message(f"/api/worker/pool/grow/{WORKER}?n=2") == f"Growing '{WORKER}' worker's pool by 2"
    until(lambda: pool(shop) == before + 2)
    assert shop.message(f"/api/worker/pool/shrink/{WORKER}") == f"Shrinking '{WORKER}' worker's pool by 1"
    until(lambda: pool(shop) == before + 1)  # a process that is ending would be chosen again
    assert shop.message(f"/api/worker/pool/shrink/{WORKER}", data={"n": "1"})
    until(lambda: pool(shop) == before)


def test_the_last_process_stays(shop: Shop) -> None:
    before = pool(shop)
    told = shop.refused(f"/api/worker/pool/shrink/{WORKER}?n=50", 403)
    assert told.startswith(f"Failed to shrink '{WORKER}' worker's pool: ")
    assert "it must keep one" in told
    assert pool(shop) == before
    assert shop.run("shop.add", 1)["result"] == 1


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("pool/grow/{}?n=-1", "n: found -1, allowed: a whole number from 1 to 1000"),
        ("pool/grow/{}?n=0", "n: found 0, allowed: a whole number from 1 to 1000"),
        ("pool/grow/{}?n=two", "Invalid argument 'two' of type 'int'"),
        ("pool/grow/{}?n=", "Invalid argument '' of type 'int'"),
        ("pool/shrink/{}?n=-1", "n: found -1, allowed: a whole number from 1 to 1000"),
        ("pool/autoscale/{}?min=5&max=2", "min: found 5, allowed: no more than max, which is 2"),
        ("pool/autoscale/{}?min=5", "Missing argument max"),
        ("pool/autoscale/{}?max=5", "Missing argument min"),
        ("queue/add-consumer/{}", "Missing argument queue"),
        ("queue/add-consumer/{}?queue=", "Missing argument queue"),
        ("queue/cancel-consumer/{}", "Missing argument queue"),
    ],
)
def test_arguments_are_bounded(shop: Shop, path: str, said: str) -> None:
    assert shop.refused(f"/api/worker/{path.format(WORKER)}", 400) == said


@pytest.mark.parametrize(
    "path",
    [
        "shutdown",
        "pool/shrink",
        "queue/add-consumer",
    ],
)
def test_a_worker_that_there_is_not_is_not_controlled(shop: Shop, path: str) -> None:
    assert shop.refused(f"/api/worker/{path}/no/body@shop", 404) == "Unknown worker 'no/body@shop'"


def test_what_the_worker_refuses_is_told_with_its_reason(shop: Shop) -> None:
    told = shop.refused(f"/api/worker/pool/autoscale/{WORKER}", 403, data={"min": "1", "max": "3"})
    assert told.startswith(f"Failed to autoscale '{WORKER}' worker: ")
    assert "Autoscale not enabled" in told


def test_a_pool_is_restarted(shop: Shop) -> None:
    assert shop.message(f"/api/worker/pool/restart/{WORKER}") == f"Restarting '{WORKER}' worker's pool"


@pytest.mark.parametrize("name", ["priority", "a&b <c>/ü?"])
def test_a_queue_is_consumed_by_its_very_name(shop: Shop, name: str) -> None:
    add = shop.message(f"/api/worker/queue/add-consumer/{WORKER}", data={"queue": name})
    assert add == f"add consumer {name}"
    until(lambda: name in queues(shop))
    cancel = shop.message(f"/api/worker/queue/cancel-consumer/{WORKER}", params={"queue": name})
    assert cancel == f"no longer consuming from {name}"
    until(lambda: name not in queues(shop))


def test_a_queue_that_was_never_consumed_is_no_longer_consumed(shop: Shop) -> None:
    told = shop.message(f"/api/worker/queue/cancel-consumer/{WORKER}?queue=never")
    assert told == "no longer consuming from never"


def test_the_page_of_workers_has_data_for_scripts(shop: Shop) -> None:
    shop.run("shop.add", 1)

    def row() -> dict[str, Any]:
        (found,) = shop.get("/workers?json=1").json()["data"]
        return dict(found)

    until(lambda: row().get("task-succeeded") and row()["pid"])
    found = row()
    assert found["hostname"] == WORKER
    assert found["status"] is True
    assert found["task-received"] >= found["task-started"] >= 1
    assert isinstance(found["pid"], int)
    assert (found["sw_ident"], found["freq"]) == ("py-celery", 2.0)
    assert isinstance(found["heartbeats"][-1], float)
    assert {"clock", "active", "processed", "loadavg", "sw_ver", "sw_sys"} <= found.keys()
    assert shop.get("/workers").headers["location"] == "/clusters/shop/workers"


def test_queues_tell_how_long_they_are(shop: Shop) -> None:
    answer = shop.get("/api/queues/length")
    assert answer.status_code == 200
    lengths = {queue["name"]: queue["messages"] for queue in answer.json()["active_queues"]}
    assert (lengths["celery"], lengths["other"]) == (0, 0)


def test_what_is_secret_in_lists_of_tasks_is_hidden(shop: Shop) -> None:
    sent = shop.post(
        "/api/task/send-task/shop.routed", json={"kwargs": {"api_token": "s3cret"}, "countdown": 600}
    ).json()

    def scheduled() -> list[Any]:
        return [task for task in shop.inspected()["scheduled"] if task["request"]["id"] == sent["task-id"]]

    (task,) = until(scheduled)
    assert "s3cret" not in str(task)
    assert "api_token" in task["request"]["kwargs"]
    shop.message(f"/api/task/revoke/{sent['task-id']}")


def test_a_worker_that_comes_later_is_told_to_send_events_and_is_shut_down(shop: Shop, tmp_path: Path) -> None:
    name = "two@shop"
    with working(tmp_path, str(shop.app.conf.broker_url), name=name, queues="quiet"):
        until(lambda: shop.get("/api/workers?status=1").json().get(name))
        assert shop.get("/api/workers").json()[name].keys() >= OF_ALL

        sent: list[str] = []

        def is_heard() -> bool:
            """Whether any task is known to be the worker's: the last one has ended before it is written."""
            done = shop.post("/api/task/apply/shop.add", json={"args": [1], "queue": "quiet"}).json()
            sent.append(done["task-id"])
            return any(shop.task(each).get("worker") == name for each in sent[-100:])

        until(is_heard)
        assert shop.message(f"/api/worker/shutdown/{name}") == "Shutting down!"
        until(lambda: shop.get("/api/workers?status=1").json()[name] is False)
