"""Remote control of real workers over real brokers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from nightowl.adapters.celery_cluster.control.remote import RemoteControl, control
from nightowl.adapters.celery_cluster.depth.factory import depth
from nightowl.core.cluster.command import Answer, Command
from nightowl.core.cluster.commands import prepare
from nightowl.core.cluster.inspection import task_names
from nightowl.core.cluster.person import Person
from nightowl.core.errors import Refused
from nightowl.core.values import Author
from nightowl.flows.control import Remote
from nightowl.flows.inspect import Inspection
from nightowl.testing.store import memory_store
from tests.adapters.celery_cluster.watched import until, workers
from tests.conftest import fresh_url
from tests.flows.cluster_parts import Clock, Tasks

PREFORK, THREADS = "prefork@shop", "threads@shop"
FLEET = (("-P", "prefork", "-c", "2", "-n", PREFORK), ("-P", "threads", "-c", "2", "-n", THREADS, "-Q", "other"))
PING = Command(name="ping")

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Celery leaves sockets open


@pytest.fixture(
    scope="module",
    params=[pytest.param("redis", marks=pytest.mark.redis), pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)],
)
def remote(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteControl]:
    for url in fresh_url(request.config, request.param):
        made = control(url)
        with workers(tmp_path_factory.mktemp("fleet"), url, *FLEET):
            until(partial(all_answer, made))
            yield made
        made.close()


def all_answer(remote: RemoteControl) -> bool:
    return not any(answer.silent for answer in remote.ask(PING, 1.0, (PREFORK, THREADS)))


def ask(remote: RemoteControl, name: str, worker: str = PREFORK, **arguments: object) -> Answer:
    (answer,) = remote.ask(prepare(name, arguments, [worker]), 20.0)
    assert answer.worker == worker
    assert not answer.silent
    return answer


def pool(remote: RemoteControl) -> int:
    return len(ask(remote, "stats").value["pool"]["processes"])


def queues(remote: RemoteControl) -> set[str]:
    return {queue["name"] for queue in ask(remote, "active_queues").value}


def active(remote: RemoteControl, worker: str = PREFORK) -> list[str]:
    return [task["id"] for task in ask(remote, "active", worker).value]


def test_answers_end_the_wait(remote: RemoteControl) -> None:
    began = time.monotonic()
    answers = remote.ask(PING, 60.0, expected=(PREFORK, THREADS))
    assert {answer.worker: answer.value for answer in answers} == {PREFORK: "pong", THREADS: "pong"}
    assert time.monotonic() - began < 30


def test_where_nobody_is_expected_all_answers_of_the_time_are_taken(remote: RemoteControl) -> None:
    def both() -> bool:
        return {answer.worker for answer in remote.ask(PING, 1.0)} == {PREFORK, THREADS}

    until(both)


def test_a_worker_that_is_not_there_is_silent(remote: RemoteControl) -> None:
    answers = remote.ask(Command(name="ping", workers=(PREFORK, "nobody@shop")), 1.0)
    silent = {answer.worker: answer.silent for answer in answers}
    assert silent["nobody@shop"]
    assert silent.keys() == {PREFORK, "nobody@shop"}


def test_threads_ask_at_once_and_each_gets_its_own_answers(remote: RemoteControl) -> None:
    names = ["ping", "registered", "clock", "active_queues"] * 3
    with ThreadPoolExecutor(6) as executor:
        values = list(executor.map(lambda name: ask(remote, name).value, names))
    assert [type(value) for value in values] == [str, list, dict, list] * 3


def test_nothing_is_left_behind_at_the_broker(remote: RemoteControl) -> None:
    ask(remote, "ping")
    with remote._broker.connection() as connection:
        if remote._broker.kind == "Redis":
            client = connection.default_channel.client
            assert client.keys("*reply*") == []


def test_looks_tell_what_there_is(remote: RemoteControl) -> None:
    assert ask(remote, "stats").value["pool"]["max-concurrency"] == 2
    assert "shop.add" in ask(remote, "registered").value
    assert ask(remote, "conf").value["worker_pool_restarts"] is True
    assert "task_annotations" in ask(remote, "conf", with_defaults="true").value
    assert "celery" in ask(remote, "report").value
    assert ask(remote, "query_task", ids=["none"]).value == {}
    for name in ("active", "scheduled", "reserved", "revoked"):
        assert isinstance(ask(remote, name).value, list), name


def test_a_pool_grows_and_shrinks(remote: RemoteControl) -> None:
    before = pool(remote)
    assert ask(remote, "pool_grow", n="2").value == "pool will grow"
    until(lambda: pool(remote) == before + 2)
    assert ask(remote, "pool_shrink", n=2).value == "pool will shrink"


def test_what_a_worker_refuses_is_its_answer(remote: RemoteControl) -> None:
    assert "Autoscale not enabled" in ask(remote, "autoscale", min=1, max=2).error
    assert ask(remote, "rate_limit", task="shop.none", rate="1/s").error == "unknown task"
    assert "TaskPool" in ask(remote, "pool_grow", THREADS, n=1).error


def test_a_pool_is_restarted(remote: RemoteControl) -> None:
    assert ask(remote, "pool_restart").value == "reload started"


@pytest.mark.parametrize("name", ["priority", "a&b <c>/ü?", "it's"])
def test_a_queue_is_consumed_by_its_very_name(remote: RemoteControl, name: str) -> None:
    assert ask(remote, "add_consumer", queue=name).value == f"add consumer {name}"
    until(lambda: name in queues(remote))
    assert ask(remote, "cancel_consumer", queue=name).value == f"no longer consuming from {name}"
    until(lambda: name not in queues(remote))


def test_limits_are_set(remote: RemoteControl) -> None:
    assert ask(remote, "rate_limit", task="shop.fail", rate="7/m").value == "new rate limit set successfully"
    assert "shop.fail [rate_limit=7/m]" in ask(remote, "registered").value
    assert ask(remote, "rate_limit", task="shop.fail", rate="0").error == ""
    assert ask(remote, "time_limit", task="shop.fail", soft="5", hard=10).value == "time limits set successfully"


def test_events_are_switched(remote: RemoteControl) -> None:
    ask(remote, "disable_events")
    assert ask(remote, "enable_events").value == "task events enabled"
    assert ask(remote, "enable_events").value == "task events already enabled"
    assert ask(remote, "disable_events").value == "task events disabled"


def test_a_task_is_sent_revoked_and_terminated(remote: RemoteControl) -> None:
    running = send(remote, "shop.sleep", 60)
    until(lambda: running in active(remote))
    waiting = send(remote, "shop.add", 1, countdown=600)
    until(lambda: waiting in [each["request"]["id"] for each in ask(remote, "scheduled").value])
    assert ask(remote, "revoke", ids=waiting).error == ""
    assert waiting in ask(remote, "revoked").value
    ended = ask(remote, "revoke", ids=[running], terminate=True, signal="SIGKILL").value
    assert running in ended
    until(lambda: running not in active(remote))


def test_what_waits_in_a_queue_is_purged(remote: RemoteControl) -> None:
    assert remote.purge("nobody-made-this") == 0
    for _ in range(3):
        send(remote, "shop.add", 1, queue="backlog")
    assert remote.purge("backlog") == 3
    assert remote.purge("backlog") == 0
    assert ask(remote, "ping").value == "pong"


def test_a_pool_never_loses_its_last_process(remote: RemoteControl) -> None:
    store = memory_store()
    flow = Remote("shop", store, Tasks(), Clock(), control=remote)
    by = Person(Author("user", "olga"), "operator")
    for worker in (PREFORK, THREADS):
        with pytest.raises(Refused, match="it must keep one"):
            flow.command(by, "pool_shrink", {"n": 50}, [worker], confirmed=True, timeout=20.0)
    assert pool(remote) >= 1
    store.close()


def test_what_workers_tell_is_understood(remote: RemoteControl) -> None:
    send(remote, "shop.add", 1, queue="other")
    until(lambda: ask(remote, "stats", THREADS).value["total"].get("shop.add"))
    looking = Inspection(remote, depth(remote._broker.url), queues=["extra"])

    def both() -> bool:
        looking.step([], time.time())
        looking._due.clear()
        return looking.seen.workers.keys() == {PREFORK, THREADS} and len(looking.seen.queues) > 2

    until(both)
    seen = looking.seen
    prefork, threads = seen.workers[PREFORK], seen.workers[THREADS]
    assert (prefork.pool, prefork.queues, prefork.events_on) == ("prefork", ("celery",), True)
    assert len(prefork.processes) >= 2
    assert prefork.memory
    assert 10_000_000 < prefork.memory < 2_000_000_000
    assert (threads.pool, threads.concurrency, threads.queues) == ("threads", 2, ("other",))
    assert dict(threads.totals)["shop.add"] >= 1
    assert {"shop.add", "shop.fail [rate_limit=0]"} & set(task_names(prefork.registered))
    consumed = {queue.name: (queue.workers, queue.processes) for queue in seen.queues}
    assert consumed["other"] == (1, 2)
    assert consumed["extra"] == (0, 0)
    assert seen.faults == ()
    assert any("task_send_sent_event" in sentence for sentence in seen.missing)
    looking._depth.close()  # type: ignore[union-attr]


def test_a_task_goes_to_the_queue_that_is_named(remote: RemoteControl) -> None:
    running = send(remote, "shop.sleep", 0.5, queue="other", task_id="my-own-id")
    assert running == "my-own-id"
    until(lambda: ask(remote, "stats", THREADS).value["total"].get("shop.sleep"))


def send(remote: RemoteControl, task: str, *args: Any, **options: Any) -> str:
    return remote.send(task, args=args, kwargs={}, options=options)
