"""``/api/task/...``, ``/api/tasks`` and ``/tasks/datatable`` before a real worker."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import pytest

from tests.web.flower.shop import WORKER, Shop, until

pytestmark = [
    pytest.mark.redis,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # Celery leaves sockets open
]

FIELDS = [
    *("uuid", "name", "state", "received", "sent", "started", "rejected", "succeeded", "failed", "retried", "revoked"),
    *("args", "kwargs", "eta", "expires", "retries", "worker", "result", "exception", "timestamp", "runtime"),
    *("traceback", "exchange", "routing_key", "clock", "client", "root", "root_id", "parent", "parent_id", "children"),
]

PAST = "2001-01-01 00:00"


def send(shop: Shop, task: str, *args: Any, **body: Any) -> str:
    answer = shop.post(f"/api/task/send-task/{task}", json={"args": args, **body})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["task-id"])


def listed(shop: Shop, **asked: Any) -> list[str]:
    answer = shop.get("/api/tasks", params=asked)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


@pytest.fixture(scope="module")
def three(shop: Shop) -> list[str]:
    """Three tasks that have ended: ``add``, ``fail``, ``routed``."""
    first = shop.run("shop.add", 4711, kwargs={"b": 1})
    second = shop.run("shop.fail")
    third = shop.run("shop.routed", kwargs={"key": "Ada"})
    return [each["task-id"] for each in (first, second, third)]


def test_a_task_is_applied(shop: Shop) -> None:
    answer = shop.post("/api/task/apply/shop.add", content=b'{"args": [1, 2]}', headers={"Content-Type": "text/plain"})
    assert answer.status_code == 200
    told = answer.json()
    assert told == {"task-id": told["task-id"], "state": "SUCCESS", "result": 3}


def test_arguments_of_a_form_type_are_json_all_the_same(shop: Shop) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = shop.post("/api/task/apply/shop.add", content=b'{"args": [1], "kwargs": {"b": 3}}', headers=form)
    assert answer.json()["result"] == 4


def test_a_task_that_fails_is_told_with_its_traceback(shop: Shop) -> None:
    told = shop.post("/api/task/apply/shop.fail").json()
    assert (told["state"], told["result"]) == ("FAILURE", "ValueError('no stock')")
    assert "in fail" in told["traceback"]


def test_who_waits_too_short_is_told_the_state(shop: Shop) -> None:
    told = shop.post("/api/task/apply/shop.add", json={"args": [1], "countdown": 600, "timeout": 0.1}).json()
    assert told == {"task-id": told["task-id"], "state": "PENDING"}
    assert shop.message(f"/api/task/revoke/{told['task-id']}") == f"Revoked '{told['task-id']}'"


def test_a_task_is_applied_without_waiting(shop: Shop) -> None:
    told = shop.post("/api/task/async-apply/shop.routed").json()
    assert told.keys() == {"task-id", "state"}
    until(lambda: shop.task(told["task-id"]).get("state") == "SUCCESS")
    until(lambda: shop.task(told["task-id"])["routing_key"] == "other")  # the app's own route, which task-sent tells


def test_a_task_of_any_name_is_sent(shop: Shop) -> None:
    told = shop.post("/api/task/send-task/shop.nobody", json={"task_id": "my-own-id", "queue": "nowhere"}).json()
    assert told == {"task-id": "my-own-id", "state": "PENDING"}


@pytest.mark.parametrize(
    "moment", [{"eta": f"{PAST}:00.000000"}, {"expires": 60}, {"expires": "2101-01-01 00:00:00.0"}]
)
def test_moments_are_read_as_flower_reads_them(shop: Shop, moment: dict[str, Any]) -> None:
    assert shop.post("/api/task/apply/shop.add", json={"args": [1], **moment}).json()["result"] == 1


@pytest.mark.parametrize("way", ["apply", "async-apply", "send-task"])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b"[1]", "invalid options"),
        (b'{"args": 1}', "args must be an array"),
        (b'{"kwargs": []}', "kwargs must be an object"),
        (b'{"queue": 1}', "queue: found 1, allowed: a name"),
        (b'{"time_limit": -1}', "time_limit: found -1, allowed: seconds above 0"),
        (b'{"connection": "redis://elsewhere"}', "connection: found redis://elsewhere, allowed: queue, exchange"),
    ],
)
def test_what_cannot_be_sent_is_refused(shop: Shop, way: str, body: bytes, said: str) -> None:
    assert shop.refused(f"/api/task/{way}/shop.add", 400, content=body).startswith(said)


@pytest.mark.parametrize(
    "body",
    [
        {"eta": "tomorrow"},
        {"eta": None},
        {"expires": "tomorrow"},
        {"expires": None},
        {"countdown": "1e999"},
        {"countdown": None},
    ],
)
def test_moments_that_cannot_be_read_are_refused(shop: Shop, body: dict[str, Any]) -> None:
    assert shop.refused("/api/task/async-apply/shop.add", 400, json=body) == "Invalid option"


def test_a_task_that_is_only_sent_has_moments_as_celery_has_them(shop: Shop) -> None:
    task = send(shop, "shop.add", 1, eta="2001-01-01T00:00:00+00:00", expires=600)
    until(lambda: shop.task(task).get("state") == "SUCCESS")
    told = shop.refused("/api/task/send-task/shop.add", 400, json={"countdown": "soon"})
    assert told.startswith("countdown: found soon, allowed: seconds")


def test_a_time_to_wait_that_is_none_is_refused(shop: Shop) -> None:
    assert shop.refused("/api/task/apply/shop.add", 400, json={"timeout": "long"}) == "Invalid timeout"


def test_arguments_that_the_task_does_not_take_are_refused(shop: Shop) -> None:
    told = shop.refused("/api/task/apply/shop.add", 400, json={"args": [1, 2, 3]})
    assert "takes from 1 to 2 positional arguments but 3 were given" in told


@pytest.mark.parametrize("way", ["apply", "async-apply"])
def test_a_task_that_the_app_does_not_have_is_not_applied(shop: Shop, way: str) -> None:
    assert shop.refused(f"/api/task/{way}/no/such.task", 404) == "Unknown task 'no/such.task'"


def test_a_result_is_shown(shop: Shop, three: list[str]) -> None:
    added, failed, _ = three
    assert shop.get(f"/api/task/result/{added}").json() == {"task-id": added, "state": "SUCCESS", "result": 4712}
    told = shop.get(f"/api/task/result/{failed}?timeout=1").json()
    assert (told["state"], told["result"]) == ("FAILURE", "ValueError('no stock')")
    assert "Traceback" in told["traceback"]


def test_a_result_that_is_waited_for_comes_with_its_own_state(shop: Shop) -> None:
    task = send(shop, "shop.sleep", 0.3)
    told = shop.get(f"/api/task/result/{task}", params={"timeout": 30}).json()
    assert told == {"task-id": task, "state": "SUCCESS", "result": None}


def test_a_result_of_nothing_is_pending(shop: Shop) -> None:
    assert shop.get("/api/task/result/nothing").json() == {"task-id": "nothing", "state": "PENDING"}
    assert shop.get("/api/task/result/nothing?timeout=0.1").json() == {"task-id": "nothing", "state": "PENDING"}
    bad = shop.get("/api/task/result/nothing?timeout=long")
    assert (bad.status_code, bad.text) == (400, "Invalid argument 'long' of type 'float'")


def test_a_patient_task_is_aborted(shop: Shop) -> None:
    task = send(shop, "shop.patient")
    until(lambda: shop.task(task).get("state") == "STARTED")
    assert shop.message(f"/api/task/abort/{task}") == f"Aborted '{task}'"
    until(lambda: shop.task(task).get("state") == "SUCCESS")
    assert shop.task(task)["result"] == "'ended early'"
    assert shop.message("/api/task/abort/nothing") == "Aborted 'nothing'"


def test_a_task_is_revoked_and_ended(shop: Shop) -> None:
    task = send(shop, "shop.sleep", 60)
    until(lambda: shop.task(task).get("state") == "STARTED")
    told = shop.message(f"/api/task/revoke/{task}", params={"terminate": "yes"}, data={"signal": "SIGKILL"})
    assert told == f"Revoked '{task}'"
    until(lambda: shop.task(task).get("state") == "REVOKED")
    assert isinstance(shop.task(task)["revoked"], float)
    assert (shop.task(task)["exception"], shop.task(task)["exchange"]) == (None, "")


def test_revoking_is_told_for_what_nobody_knows(shop: Shop) -> None:
    assert shop.message("/api/task/revoke/nothing") == "Revoked 'nothing'"
    assert shop.refused("/api/task/revoke/nothing?terminate=maybe", 400).startswith("Invalid argument 'maybe'")
    assert "SIGTERM" in shop.refused("/api/task/revoke/nothing?terminate=1&signal=SIGNONE", 400)


def test_limits_are_set(shop: Shop) -> None:
    limited = shop.message("/api/task/timeout/shop.add", data={"workername": WORKER, "soft": "30", "hard": "100.5"})
    assert limited == "time limits set successfully"
    rate = shop.message("/api/task/rate-limit/shop.fail", data={"workername": WORKER, "ratelimit": "7000/m"})
    assert rate == "new rate limit set successfully"
    until(lambda: "shop.fail [rate_limit=7000/m]" in shop.inspected()["registered"])


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("timeout/shop.add", 400, "Missing argument workername"),
        (f"timeout/shop.add?workername={WORKER}&soft=long", 400, "Invalid argument 'long' of type 'float'"),
        (f"timeout/shop.none?workername={WORKER}", 404, "Unknown task 'shop.none'"),
        ("timeout/shop.add?workername=nobody", 404, "Unknown worker 'nobody'"),
        ("rate-limit/shop.add", 400, "Missing argument workername"),
        (f"rate-limit/shop.add?workername={WORKER}", 400, "Missing argument ratelimit"),
        (f"rate-limit/shop.none?workername={WORKER}&ratelimit=1", 404, "Unknown task 'shop.none'"),
        ("rate-limit/shop.add?workername=nobody&ratelimit=1", 404, "Unknown worker 'nobody'"),
        (f"rate-limit/shop.add?workername={WORKER}&ratelimit=often", 400, "rate: found often"),
    ],
)
def test_limits_that_cannot_be_are_refused(shop: Shop, path: str, status: int, said: str) -> None:
    assert shop.refused(f"/api/task/{path}", status).startswith(said)


def test_a_task_has_all_fields(shop: Shop, three: list[str]) -> None:
    added, failed, routed = three
    until(lambda: shop.task(added)["sent"])  # which a busy client tells late
    told = shop.task(added)
    assert list(told) == FIELDS
    assert (told["name"], told["state"], told["worker"]) == ("shop.add", "SUCCESS", WORKER)
    assert (told["args"], told["kwargs"], told["result"]) == ("[4711]", "{'b': 1}", "4712")
    assert told["sent"] <= told["received"] + 1 <= told["started"] + 2 <= told["succeeded"] + 3
    assert told["timestamp"] == pytest.approx(told["succeeded"])
    assert isinstance(told["runtime"], float)
    assert (told["root"], told["root_id"], told["parent"], told["parent_id"]) == (added, added, None, None)
    assert (told["eta"], told["expires"], told["exception"], told["children"]) == (None, None, None, [])
    assert shop.task(failed)["exception"] == "ValueError('no stock')"
    assert shop.task(routed)["result"] == "'<b>routed</b>'"


def test_what_could_end_a_script_is_escaped(shop: Shop, three: list[str]) -> None:
    assert b"<\\/b>" in shop.get(f"/api/task/info/{three[2]}").content


def test_a_task_that_was_told_when_to_run_says_so(shop: Shop) -> None:
    task = send(shop, "shop.add", 1, countdown=0.5, expires=600)
    until(lambda: shop.task(task).get("state") == "SUCCESS")
    assert datetime.fromisoformat(shop.task(task)["eta"]).tzinfo is not None
    assert datetime.fromisoformat(shop.task(task)["expires"]).timestamp() > time.time()


def test_children_are_known(shop: Shop) -> None:
    children = shop.post("/api/task/apply/shop.parent").json()
    until(lambda: len(shop.task(children["task-id"]).get("children", ())) == 2)
    assert sorted(shop.task(children["task-id"])["children"]) == sorted(children["result"])
    child = shop.task(children["result"][0])
    assert (child["parent"], child["root_id"]) == (children["task-id"], children["task-id"])


def test_a_task_that_nobody_knows_is_not_found(shop: Shop) -> None:
    answer = shop.get("/api/task/info/no/thing")
    assert (answer.status_code, answer.text) == (404, "Unknown task 'no/thing'")


def test_names_that_were_seen_are_listed(shop: Shop, three: list[str]) -> None:
    names = shop.get("/api/task/types").json()["task-types"]
    assert names == sorted(names)
    assert {"shop.add", "shop.fail", "shop.routed"} <= set(names)


def test_tasks_are_listed_newest_first(shop: Shop, three: list[str]) -> None:
    found = shop.get("/api/tasks").json()
    moments = [task["timestamp"] for task in found.values()]
    assert moments == sorted(moments, reverse=True)
    assert set(three) <= set(found)
    assert all(task["uuid"] == uuid for uuid, task in found.items())
    assert set(found[three[0]]) == set(FIELDS)


def test_where_no_worker_is_known_the_list_leaves_it_out(shop: Shop) -> None:
    task = send(shop, "shop.add", 1, queue="nobody-consumes-this")
    until(lambda: task in listed(shop))
    assert set(FIELDS) - set(shop.get("/api/tasks").json()[task]) == {"worker"}
    assert shop.task(task)["worker"] is None


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"taskname": "SHOP.add"}, {0}),
        ({"state": "failure"}, {1}),
        ({"workername": WORKER.upper()}, {0, 1, 2}),
        ({"workername": "nobody"}, set()),
        ({"taskname": "nobody"}, set()),
        ({"state": "nothing"}, set()),
        ({"taskname": "All", "state": "All", "workername": "All"}, {0, 1, 2}),
        ({"received_start": PAST}, {0, 1, 2}),
        ({"received_start": "2101-01-01 00:00"}, set()),
        ({"received_end": PAST}, set()),
        ({"search": "4711"}, {0}),
        ({"search": "kwargs:key=ada"}, {2}),
        ({"search": "state:failure OR name:routed"}, {1, 2}),
        ({"search": "state:failure name:routed"}, set()),
        ({"search": '"<b>routed"'}, {2}),
        ({"limit": "0"}, set()),
        ({"limit": "-1"}, set()),
        ({"offset": "-5"}, {0, 1, 2}),
        ({"offset": "100000"}, set()),
    ],
)
def test_tasks_are_filtered(shop: Shop, three: list[str], asked: dict[str, str], found: set[int]) -> None:
    assert {three.index(task) for task in listed(shop, **asked) if task in three} == found


@pytest.mark.parametrize("by", ["name", "state", "received", "started"])
def test_tasks_are_sorted(shop: Shop, three: list[str], by: str) -> None:
    up = list(shop.get("/api/tasks", params={"sort_by": by}).json().values())
    down = list(shop.get("/api/tasks", params={"sort_by": f"-{by}"}).json().values())
    known = [task[by] for task in up if task[by] is not None]
    assert known == sorted(known)
    assert [task[by] for task in up][len(up) - len(known) :] == known  # what is not known comes first
    assert [task[by] for task in down][: len(known)] == known[::-1]


def test_a_part_of_the_list_is_shown(shop: Shop, three: list[str]) -> None:
    whole = listed(shop, taskname="shop.add")
    assert listed(shop, taskname="shop.add", limit=2, offset=1) == whole[1:3]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"limit": "many"}, "Invalid argument 'many' of type 'int'"),
        ({"sort_by": "worker"}, "Invalid sort_by 'worker', expected one of name, received, started, state"),
        (
            {"received_start": "yesterday"},
            "Invalid received_start or received_end, expected format 'YYYY-MM-DD HH:MM'",
        ),
    ],
)
def test_a_list_that_cannot_be_is_refused(shop: Shop, asked: dict[str, str], said: str) -> None:
    answer = shop.get("/api/tasks", params=asked)
    assert (answer.status_code, answer.text) == (400, said)


def test_a_search_that_cannot_be_is_refused_as_json(shop: Shop) -> None:
    answer = shop.get("/api/tasks", params={"search": "result:9"})
    assert answer.status_code == 400
    told = "Substring search terms must contain at least 3 characters at position 0."
    assert answer.json() == {"error": told}


def table(shop: Shop, *, post: bool = False, **more: str) -> dict[str, Any]:
    asked = {
        "draw": "7",
        "start": "0",
        "length": "10",
        "search[value]": "",
        "order[0][column]": "2",
        "order[0][dir]": "desc",
        "columns[2][data]": "received",
        **more,
    }
    answer = shop.post("/tasks/datatable", data=asked) if post else shop.get("/tasks/datatable", params=asked)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("post", [False, True])
def test_the_table_of_tasks_has_data_for_scripts(shop: Shop, three: list[str], post: bool) -> None:
    found = table(shop, post=post)
    assert found.keys() == {"draw", "data", "recordsTotal", "recordsFiltered"}
    assert found["draw"] == 7
    assert found["recordsTotal"] == found["recordsFiltered"] == len(listed(shop))
    moments = [task["received"] for task in found["data"] if task["received"]]
    assert moments == sorted(moments, reverse=True)
    assert set(found["data"][0]) == set(FIELDS)


def test_the_table_is_searched_and_sorted_by_any_column(shop: Shop, three: list[str]) -> None:
    found = table(shop, **{"search[value]": "state:failure", "columns[2][data]": "uuid", "order[0][dir]": "asc"})
    assert found["recordsFiltered"] < found["recordsTotal"]
    assert [task["uuid"] for task in found["data"]] == sorted(task["uuid"] for task in found["data"])
    assert three[1] in [task["uuid"] for task in found["data"]]


def test_what_the_table_cannot_find_is_told(shop: Shop) -> None:
    found = table(shop, **{"search[value]": "NOT this"})
    assert (found["data"], found["recordsFiltered"]) == ([], 0)
    assert found["searchError"] == "NOT is not supported at position 0."
    missing = shop.get("/tasks/datatable?draw=1")
    assert (missing.status_code, missing.text) == (400, "Missing argument start")
