"""The API that acts on watched clusters, over a fleet that answers as told."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from nightowl.core.cluster.catalogue import COMMANDS
from nightowl.core.cluster.command import Command
from nightowl.core.cluster.task import Task
from nightowl.core.values import Token
from nightowl.ports import AuditFilter
from nightowl.web.bearer import digest
from tests.flows.cluster_parts import Results

SHOP = "/api/v1/clusters/shop"
FAILED = "22222222-2222-4222-8222-222222222222"


def audit(world):
    with world.store.read() as unit:
        return [(entry.what, entry.subject) for entry in unit.audit.page(AuditFilter(), 0, 100)[0]]


@pytest.fixture
def api(watched):
    client = watched.client()
    return lambda path, body=None: client.post(f"{SHOP}{path}", json=body)


def as_role(watched, role):
    """Post as a token of this role."""
    with watched.store.transaction() as unit:
        unit.tokens.add(Token(name=role, role=role, created=0.0), digest(f"owl_{role}"))
    client = watched.client(
        "http://owl.example", is_loopback=False, listen_host="0.0.0.0", allowed_hosts=("owl.example",)
    )
    return lambda path, body=None: client.post(
        f"{SHOP}{path}", json=body, headers={"authorization": f"Bearer owl_{role}"}
    )


def test_a_command_reaches_workers_and_its_answers_come_back(watched, api):
    watched.answers["pool_grow"] = "pool will grow"
    said = api("/commands", {"command": "pool_grow", "arguments": {"n": 2}, "workers": ["celery@web-1"]})
    assert said.json() == [{"worker": "celery@web-1", "value": "pool will grow", "error": "", "silent": False}]
    assert watched.fleet.asked == [Command(name="pool_grow", arguments={"n": 2}, workers=("celery@web-1",))]
    assert audit(watched) == [("cluster.pool_grow", "shop/celery@web-1")]


def test_a_worker_that_says_nothing_is_an_answer(watched, api):
    watched.fleet.workers.clear()
    said = api("/commands", {"command": "ping", "workers": ["celery@web-1"]}).json()
    assert [(each["worker"], each["silent"]) for each in said] == [("celery@web-1", True)]


def test_answers_hide_what_the_cluster_hides(watched, api):
    watched.answers["active"] = [{"id": "x", "kwargs": {"password": "hunter22"}}]
    watched.answers["conf"] = {"broker_url": "redis://:hunter22@redis/0"}
    for command in ("active", "conf"):
        assert "hunter22" not in api("/commands", {"command": command}).text


def test_what_cannot_be_done_says_why(watched, api):
    for body, status, said in (
        ({"command": "explode"}, 404, "explode"),
        ({"command": "pool_grow"}, 422, "mistakes"),
        ({"command": "pool_grow", "arguments": {"n": 0}}, 422, "a whole number"),
        ({"command": "ping", "timeout": 3600}, 422, "timeout"),
        ({"command": "shutdown", "workers": ["celery@web-1"]}, 409, "must be confirmed: shut down"),
        ({"command": "pool_shrink", "arguments": {"n": 9}, "confirmed": True}, 409, "is not known"),
    ):
        answer = api("/commands", body)
        assert (answer.status_code, said in answer.text) == (status, True), body
    assert audit(watched) == []


def test_there_is_no_cluster_but_those_that_are_watched(watched):
    client = watched.client()
    for path, body in (("commands", {"command": "ping"}), ("tasks/x/retry", {}), ("send", {"task": "x"})):
        assert client.post(f"/api/v1/clusters/none/{path}", json=body).status_code == 404


def test_control_can_be_switched_off(watched, api):
    watched.clusters["shop"] = replace(watched.clusters["shop"], control=False)
    answer = api("/commands", {"command": "ping"})
    assert answer.status_code == 409
    assert "control = false" in answer.json()["error"]


def test_a_broker_that_is_away_is_no_fault_of_ours(watched, api):
    watched.fleet.away = True
    assert api("/commands", {"command": "ping"}).status_code == 503


def test_roles_may_what_they_may(watched):
    viewer, operator, admin = (as_role(watched, role) for role in ("viewer", "operator", "admin"))
    watched.ready["celery"] = 5
    ending = {"terminate": True, "confirmed": True}
    assert viewer("/commands", {"command": "ping"}).status_code == 403
    assert operator("/commands", {"command": "ping"}).status_code == 200
    for path, body in (
        ("/commands", {"command": "shutdown", "confirmed": True}),
        ("/tasks/started-id/revoke", ending),
        ("/tasks/revoke", {"terminate": True, "confirmed": 5}),
        ("/queues/celery/purge", {"confirmed": True}),
    ):
        answer = operator(path, body)
        assert (answer.status_code, "takes the role admin" in answer.text) == (403, True), path
    assert admin("/tasks/started-id/revoke", ending).status_code == 200
    assert admin("/queues/celery/purge", {"confirmed": True}).json() == {"deleted": 7}
    assert [what for what, _ in audit(watched)] == ["cluster.purge", "cluster.revoke"]


def test_a_task_is_revoked_and_ended_only_when_that_is_meant(watched, api):
    assert api("/tasks/started-id/revoke").status_code == 200
    assert api("/tasks/started-id/revoke", {"terminate": True}).status_code == 409
    assert (
        api("/tasks/started-id/revoke", {"terminate": True, "signal": "SIGBUS", "confirmed": True}).status_code == 422
    )
    assert api("/tasks/started-id/revoke", {"terminate": True, "signal": "SIGKILL", "confirmed": True}).json()
    assert [command.arguments for command in watched.fleet.asked] == [
        {"task_id": ["started-id"]},
        {"task_id": ["started-id"], "terminate": True, "signal": "SIGKILL"},
    ]


def test_a_task_is_retried_or_the_reason_is_told(watched, api):
    answer = api(f"/tasks/{FAILED}/retry")
    assert answer.status_code == 409
    assert "Its kwargs are not known" in answer.json()["error"]
    failed = watched.tasks.get("shop", [FAILED])[FAILED]
    watched.tasks.write("shop", [replace(failed, kwargs="{'card': 1}")])
    answer = api(f"/tasks/{FAILED}/retry")
    assert (answer.status_code, answer.json()) == (202, {"uuid": "new-1"})
    assert watched.fleet.sent == [("shop.charge", [42], {"card": 1}, {"queue": "celery"})]


def test_a_task_is_aborted_where_there_is_a_backend(watched, api):
    assert "set backend" in api("/tasks/started-id/abort").json()["error"]
    watched.results = Results()
    assert api("/tasks/started-id/abort").status_code == 202
    assert watched.results.aborted == ["started-id"]


def test_many_are_counted_first(watched, api):
    base = watched.clock.time
    failed = [
        Task(uuid=f"f{n}", name="shop.many", state="FAILURE", args="(1,)", kwargs="{}", updated=base, seen=base + n)
        for n in range(4)
    ]
    watched.tasks.write(
        "shop", [*failed, replace(failed[0], uuid="f4", args="(...)"), replace(failed[0], uuid="o", state="STARTED")]
    )
    wanted = {"filter": {"name": ["shop.many"]}}
    answer = api("/tasks/retry", wanted)
    assert answer.status_code == 409
    assert answer.json()["mistakes"][0] == {"file": "", "key": "confirmed", "found": "nothing", "allowed": "5"}
    assert watched.fleet.sent == []
    done = api("/tasks/retry", {**wanted, "confirmed": 5}).json()
    assert (done["done"], list(done["refused"].values())) == (4, [1])
    assert api("/tasks/revoke", wanted).json()["mistakes"][0]["allowed"] == "1"
    assert api("/tasks/revoke", {**wanted, "confirmed": 1}).json() == {"done": 1, "refused": {}}
    assert watched.fleet.asked[-1].arguments == {"task_id": ["o"]}
    assert api("/tasks/revoke", {"filter": {"state": ["SUCCESS"]}, "confirmed": 1}).status_code == 409
    assert api("/tasks/revoke", {"filter": {"colour": "red"}}).status_code == 422


def test_a_purge_tells_how_much_before(watched, api):
    watched.ready["a/b"] = 1204
    answer = api("/queues/a%2Fb/purge")
    assert answer.json()["mistakes"][0]["allowed"] == "1204"
    assert "the queue a/b: 1204 messages" in answer.json()["error"]
    assert api("/queues/a%2Fb/purge", {"confirmed": True}).json() == {"deleted": 7}
    assert watched.fleet.purged == ["a/b"]


def test_a_task_is_sent(watched, api):
    sent = {"task": "shop.add", "args": [1], "kwargs": {"b": 2}, "options": {"queue": "a&b", "countdown": 5}}
    assert api("/send", sent).json() == {"uuid": "new-1"}
    assert watched.fleet.sent == [("shop.add", [1], {"b": 2}, {"queue": "a&b", "countdown": 5.0})]
    assert api("/send", {"task": "shop.add", "options": {"serializer": "pickle"}}).status_code == 422
    assert api("/send", {"task": ""}).status_code == 422


def test_a_beat_entry_is_run_now(watched, api):
    assert api("/beat/nightly/run").json() == {"uuid": "new-1"}
    assert watched.fleet.sent[0][0] == "shop.report"
    assert api("/beat/none/run").status_code == 404


def test_every_command_is_documented():
    document = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    section = document.partition("## What may be done to a cluster")[2]
    assert set(COMMANDS) <= set(re.findall(r"`(\w+)`", section))
