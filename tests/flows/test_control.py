"""Control of a cluster: permission, audit, bounds, and what reaches the workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import pytest
from msgspec.structs import replace

from nightowl.core.cluster.command import Command
from nightowl.core.cluster.commands import Forbidden, Unconfirmed
from nightowl.core.cluster.person import Many, Person
from nightowl.core.cluster.state import Due
from nightowl.core.cluster.task import Task, TaskFilter
from nightowl.core.errors import ConfigurationError, NotFound, Refused, StoreUnavailable, Unavailable
from nightowl.core.values import AuditEntry, Author, Role
from nightowl.flows import control as flow
from nightowl.flows.control import Remote
from nightowl.ports import AuditFilter, Store
from nightowl.testing.store import memory_store
from tests.flows.cluster_parts import Clock, Fleet, Results, Tasks, worker


def person(role: Role) -> Person:
    return Person(Author("user", "olga", "192.0.2.1"), role)


VIEWER, OPERATOR, ADMIN = person("viewer"), person("operator"), person("admin")
STATS = {"pool": {"processes": [1, 2], "max-concurrency": 2}}


@pytest.fixture
def store() -> Iterator[Store]:
    opened = memory_store()
    yield opened
    opened.close()


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(lambda command, name: STATS if command.name == "stats" else "ok", "a@shop", "b@shop")


@pytest.fixture
def remote(store: Store, fleet: Fleet) -> Callable[..., Remote]:
    def make(*tasks: Task, beat: tuple[Due, ...] = (), **options: Any) -> Remote:
        known = Tasks(*tasks, workers=[worker("a@shop"), worker("b@shop"), worker("c@shop", up=False)])
        known.known = replace(known.known, beat=beat)
        return Remote("shop", store, known, Clock(), control=fleet, ready={"celery": 5}.get, **options)

    return make


def audit(store: Store) -> list[AuditEntry]:
    with store.read() as unit:
        return unit.audit.page(AuditFilter(), 0, 100)[0]


def test_a_command_is_written_down_and_all_that_are_up_are_expected(
    remote: Callable[..., Remote], fleet: Fleet, store: Store
) -> None:
    answers = remote().command(OPERATOR, "pool_grow", {"n": 2})
    assert {answer.worker for answer in answers} == {"a@shop", "b@shop"}
    assert fleet.asked == [Command(name="pool_grow", arguments={"n": 2})]
    assert fleet.expected == [["a@shop", "b@shop"]]
    (entry,) = audit(store)
    assert (entry.what, entry.subject, entry.detail) == ("cluster.pool_grow", "shop", "grow the pool by 2")
    assert entry.author == OPERATOR.author


def test_looks_are_not_written_down(remote: Callable[..., Remote], store: Store) -> None:
    remote().command(OPERATOR, "ping", {}, ["a@shop"])
    assert audit(store) == []


def test_what_is_refused_reaches_nobody(remote: Callable[..., Remote], fleet: Fleet, store: Store) -> None:
    for made, by, name, given, error in (
        (remote(), VIEWER, "ping", {}, Forbidden),
        (remote(), OPERATOR, "shutdown", {}, Forbidden),
        (remote(), ADMIN, "shutdown", {}, Unconfirmed),
        (remote(), OPERATOR, "pool_grow", {"n": 0}, ConfigurationError),
        (remote(allowed=False), ADMIN, "ping", {}, Refused),
    ):
        with pytest.raises(error):
            made.command(by, name, given)
    assert fleet.asked == []
    assert audit(store) == []


def test_nothing_is_sent_that_cannot_be_written_down(
    remote: Callable[..., Remote], fleet: Fleet, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(lease: object = None) -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(store, "transaction", full)
    with pytest.raises(StoreUnavailable):
        remote().command(ADMIN, "shutdown", {}, confirmed=True)
    with pytest.raises(StoreUnavailable):
        remote().send(ADMIN, "shop.add", [], {}, {})
    assert fleet.asked == []
    assert fleet.sent == []


def test_a_pool_is_not_shrunk_below_one(remote: Callable[..., Remote], fleet: Fleet, store: Store) -> None:
    with pytest.raises(Refused, match="a@shop has 2: it cannot be shrunk by 2"):
        remote().command(OPERATOR, "pool_shrink", {"n": 2}, ["a@shop"], confirmed=True)
    with pytest.raises(Refused, match=r"c@shop has is not known"):
        remote().command(OPERATOR, "pool_shrink", {"n": 1}, ["c@shop"], confirmed=True)
    assert {command.name for command in fleet.asked} == {"stats"}
    assert audit(store) == []
    remote().command(OPERATOR, "pool_shrink", {"n": 1}, ["a@shop"], confirmed=True)
    assert fleet.asked[-1].name == "pool_shrink"


def test_a_shutdown_is_not_waited_for(remote: Callable[..., Remote], fleet: Fleet) -> None:
    assert remote().command(ADMIN, "shutdown", {}, ["a@shop"], confirmed=True) == []


def test_a_task_is_sent_with_checked_options(remote: Callable[..., Remote], fleet: Fleet, store: Store) -> None:
    assert remote().send(OPERATOR, "shop.add", [1], {"b": 2}, {"queue": "a&b", "countdown": "5"}) == "new-1"
    assert fleet.sent == [("shop.add", [1], {"b": 2}, {"queue": "a&b", "countdown": 5.0})]
    assert audit(store)[0].subject == "shop/shop.add"
    for args, kwargs, options in (
        ("x", {}, {}),
        ([], [], {}),
        ([], {1: 2}, {}),
        ([object()], {}, {}),
        (["x" * 2_000_000], {}, {}),
        ([], {}, {"serializer": "pickle"}),
        ([], {}, {"countdown": None, "eta": "soon"}),
        ([], {}, {"priority": 1000}),
    ):
        with pytest.raises(ConfigurationError):
            remote().send(OPERATOR, "shop.add", args, kwargs, options)
    assert len(fleet.sent) == 1


def test_a_task_is_retried_with_its_arguments(remote: Callable[..., Remote], fleet: Fleet, store: Store) -> None:
    known = Task(uuid="x", name="shop.add", args="(1, 'a')", kwargs="{'b': None}", queue="q", state="FAILURE")
    assert remote(known).retry(OPERATOR, "x") == "new-1"
    assert fleet.sent == [("shop.add", [1, "a"], {"b": None}, {"queue": "q"})]
    assert "x" in audit(store)[0].detail
    with pytest.raises(NotFound):
        remote().retry(OPERATOR, "x")
    for task in (Task(uuid="x", name="shop.add", args="('***',)", kwargs="{}"), Task(uuid="x", args="()", kwargs="{}")):
        with pytest.raises(Refused):
            remote(task).retry(OPERATOR, "x")
    assert len(fleet.sent) == 1
    assert len(audit(store)) == 1


def test_many_are_revoked_in_portions_after_their_count_was_told(
    remote: Callable[..., Remote], fleet: Fleet, store: Store
) -> None:
    tasks = [Task(uuid=str(n), name="t", state="RECEIVED" if n % 2 else "SUCCESS") for n in range(2400)]
    made = remote(*tasks)
    with pytest.raises(Unconfirmed, match="revoke 1200 tasks"):
        made.revoke_many(OPERATOR, TaskFilter(names=("t",)), confirmed=None)
    assert fleet.asked == []
    assert made.revoke_many(OPERATOR, TaskFilter(names=("t",)), confirmed=1100) == Many(1100)
    ids = [command.arguments["task_id"] for command in fleet.asked]
    assert [len(portion) for portion in ids] == [500, 500, 100]
    assert set(chain(*ids)) <= {task.uuid for task in tasks if task.state == "RECEIVED"}
    (entry,) = audit(store)
    assert entry.detail.splitlines() == ["revoke 1100 tasks", "names: t; states: PENDING, RECEIVED, STARTED, RETRY"]
    with pytest.raises(Forbidden):
        made.revoke_many(OPERATOR, TaskFilter(), confirmed=5, terminate=True)
    with pytest.raises(Refused, match="SUCCESS"):
        made.revoke_many(OPERATOR, TaskFilter(states=("SUCCESS",)), confirmed=5)


def test_more_than_a_bound_is_refused(remote: Callable[..., Remote], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "MOST_RETRIED", 3)
    made = remote(*(Task(uuid=str(n), name="t", state="FAILURE") for n in range(4)))
    with pytest.raises(Refused, match="narrow the filter"):
        made.retry_many(OPERATOR, TaskFilter(), confirmed=3)


def test_many_are_retried_and_the_others_counted_with_the_reason(remote: Callable[..., Remote], fleet: Fleet) -> None:
    made = remote(
        Task(uuid="1", name="t", state="FAILURE", args="(1,)", kwargs="{}"),
        Task(uuid="2", name="t", state="FAILURE", args="(...)", kwargs="{}"),
        Task(uuid="3", name="t", state="STARTED", args="(3,)", kwargs="{}"),
    )
    found = made.retry_many(OPERATOR, TaskFilter(), confirmed=10)
    assert found.done == 1
    assert list(found.refused.values()) == [1]
    assert [args for _, args, _, _ in fleet.sent] == [[1]]


def test_a_queue_is_purged_by_an_admin_who_knows_how_much(
    remote: Callable[..., Remote], fleet: Fleet, store: Store
) -> None:
    with pytest.raises(Forbidden):
        remote().purge(OPERATOR, "celery", confirmed=True)
    with pytest.raises(Unconfirmed, match="the queue celery: 5 messages"):
        remote().purge(ADMIN, "celery", confirmed=False)
    assert fleet.purged == []
    assert remote().purge(ADMIN, "celery", confirmed=True) == 7
    assert (fleet.purged, audit(store)[0].what) == (["celery"], "cluster.purge")


def test_abort_and_result_take_a_backend(remote: Callable[..., Remote], store: Store) -> None:
    backend = Results()
    remote(results=backend).abort(OPERATOR, "x")
    assert backend.aborted == ["x"]
    assert remote(results=backend).result("x").state == "PENDING"
    with pytest.raises(Refused, match="set backend"):
        remote().abort(OPERATOR, "x")
    assert len(audit(store)) == 1


def test_a_broker_that_is_away_is_told(remote: Callable[..., Remote], fleet: Fleet) -> None:
    fleet.away = True
    with pytest.raises(Unavailable):
        remote().command(OPERATOR, "ping", {})


def test_a_beat_entry_is_run_now_with_its_arguments(remote: Callable[..., Remote], fleet: Fleet, store: Store) -> None:
    entries = (
        Due(name="nightly", task="shop.report", schedule="daily", args="[1]", kwargs='{"to": "a"}', queue="reports"),
        Due(name="hidden", task="shop.login", schedule="daily", kwargs='{"password": "***"}'),
        Due(name="cut", task="shop.import", schedule="daily", args="[1, 2"),
        Due(name="bare", task="shop.sync", schedule="hourly"),
    )
    assert remote(beat=entries).run(OPERATOR, "nightly") == "new-1"
    assert fleet.sent == [("shop.report", [1], {"to": "a"}, {"queue": "reports"})]
    assert audit(store)[0].detail == "run the beat entry nightly now: send shop.report"
    remote(beat=entries).run(OPERATOR, "bare")
    assert fleet.sent[1:] == [("shop.sync", [], {}, {})]
    for name, why in (("hidden", "redacted"), ("cut", "too long")):
        with pytest.raises(Refused, match=why):
            remote(beat=entries).run(OPERATOR, name)
    with pytest.raises(Refused, match='arguments = "none"'):
        remote(beat=entries, keeps_arguments=False).run(OPERATOR, "bare")
    with pytest.raises(NotFound):
        remote(beat=entries).run(OPERATOR, "none")
    with pytest.raises(Forbidden):
        remote(beat=entries).run(VIEWER, "nightly")
    assert len(fleet.sent) == 2
