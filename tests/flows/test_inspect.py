"""Looks at a cluster on a timer, and events switched on."""

from __future__ import annotations

from typing import Any

from nightowl.core.cluster.command import Command
from nightowl.flows.inspect import NEWCOMERS, QUEUES, WORKERS, Inspection
from tests.flows.cluster_parts import Depth, Fleet, worker


def answer(command: Command, name: str) -> Any:
    return {
        "stats": {"pid": 7, "pool": {"implementation": "x.prefork:TaskPool", "processes": [1, 2]}, "total": {"t": 3}},
        "active_queues": [{"name": "celery"}, {"name": f"only-{name}"}],
        "registered": ["t"],
        "conf": {},
    }.get(command.name, "ok")


def named(fleet: Fleet, name: str) -> list[Command]:
    return [command for command in fleet.asked if command.name == name]


def test_workers_and_queues_are_known_after_one_step() -> None:
    inspection = Inspection(Fleet(answer, "a@shop", "b@shop"), Depth(celery=4), queues=["extra"])
    inspection.step([worker("a@shop", active=2)], 100.0, queues=["told"])
    seen = inspection.seen
    first, other = seen.applied([worker("a@shop", active=2)])
    assert (first.active, first.pool, first.pid, first.inspected, first.events_on) == (2, "prefork", 7, 100.0, True)
    assert (other.name, other.up, other.totals) == ("b@shop", True, (("t", 3),))
    queues = {queue.name: (queue.ready, queue.workers, queue.processes) for queue in seen.queues}
    assert queues == {
        "extra": (0, 0, 0),
        "celery": (4, 2, 4),
        "only-a@shop": (0, 1, 2),
        "only-b@shop": (0, 1, 2),
        "told": (0, 0, 0),
    }
    assert seen.broker is not None
    assert any("task_send_sent_event" in sentence for sentence in seen.missing)


def test_each_part_has_its_own_pace() -> None:
    fleet, heard = Fleet(answer, "a@shop"), [worker("a@shop")]
    inspection = Inspection(fleet, Depth())
    due = inspection.step(heard, 100.0)
    assert due == 100.0 + NEWCOMERS
    before = len(fleet.asked)
    inspection.step(heard, 100.0 + QUEUES)
    assert len(fleet.asked) == before
    inspection.step(heard, 100.0 + WORKERS)
    assert len(named(fleet, "stats")) == 2


def test_a_worker_that_begins_is_looked_at_until_it_has_answered_once() -> None:
    fleet = Fleet(answer, "a@shop")
    inspection = Inspection(fleet, None)
    old, new = worker("a@shop"), worker("b@shop", since=101.0)
    inspection.step([old], 100.0)
    inspection.step([old, new], 102.0)
    fleet.workers.append("b@shop")
    inspection.step([old, new], 104.0)
    inspection.step([old, new], 106.0)
    assert [command.workers for command in named(fleet, "stats")] == [(), ("b@shop",), ("b@shop",)]
    assert [command.workers for command in named(fleet, "registered")] == [(), ("b@shop",)]
    seen = inspection.seen.workers
    assert (seen["a@shop"].inspected, seen["b@shop"].inspected, seen["b@shop"].pool) == (100.0, 104.0, "prefork")


def test_events_are_asked_for_of_those_that_are_new_and_now_and_then_of_all() -> None:
    fleet = Fleet(answer, "a@shop", "b@shop")
    inspection = Inspection(fleet, None)
    inspection.step([worker("a@shop")], 100.0)
    inspection.step([worker("a@shop"), worker("b@shop", since=50.0), worker("c@shop", since=103.0)], 105.0)
    inspection.step([worker("a@shop"), worker("b@shop", since=107.0)], 110.0)
    inspection.step([worker("a@shop"), worker("b@shop", since=107.0)], 115.0)
    inspection.step([worker("a@shop")], 100.0 + WORKERS)
    assert [command.workers for command in named(fleet, "enable_events")] == [(), ("c@shop",), ("b@shop",), ()]


def test_events_are_left_alone_where_that_is_wished() -> None:
    fleet = Fleet(answer, "a@shop")
    inspection = Inspection(fleet, None, enable_events=False)
    inspection.step([worker("a@shop")], 100.0)
    assert named(fleet, "enable_events") == []


def test_a_worker_too_busy_to_answer_keeps_what_was_seen_and_one_that_is_gone_does_not() -> None:
    fleet = Fleet(answer, "a@shop", "b@shop")
    inspection = Inspection(fleet, None)
    inspection.step([], 100.0)
    fleet.workers = []
    inspection.step([worker("a@shop")], 100.0 + WORKERS)
    assert set(inspection.seen.workers) == {"a@shop"}
    assert inspection.seen.workers["a@shop"].inspected == 100.0


def test_what_is_away_is_a_fault_until_it_is_back_and_hinders_nothing_else() -> None:
    fleet, depth = Fleet(answer, "a@shop"), Depth(celery=1)
    fleet.away = True
    inspection = Inspection(fleet, depth, queues=["celery"])
    inspection.step([], 100.0)
    assert inspection.seen.faults == ("the broker does not answer",)
    assert inspection.seen.queues[0].ready == 1
    fleet.away = False
    inspection.step([], 100.0 + WORKERS)
    assert inspection.seen.faults == ()


def test_rates_are_told_from_the_second_look_on() -> None:
    depth = Depth(celery=100)
    inspection = Inspection(None, depth, queues=["celery"])
    inspection.step([], 100.0, received={"celery": 0})
    depth.ready["celery"] = 50
    inspection.step([], 110.0, received={"celery": 80})
    (queue,) = inspection.seen.queues
    assert (queue.rate_in, queue.rate_out) == (3.0, 8.0)
