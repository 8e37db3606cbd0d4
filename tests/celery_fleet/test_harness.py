"""The harness itself: a capture beside real workers has exactly what the load must lead to."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.celery_fleet import load, names, recording, reference
from tests.celery_fleet.app import node, queue
from tests.celery_fleet.fleet import PYTHON, celery_of, running

POOLS = ("prefork", "threads")


def counted(events, queues) -> Counter:
    """What the reference counts, by task name and type of event."""
    found: Counter = Counter()
    for key, count in reference.counts(events, queues).items():
        if key.name != load.UNLOCKING:
            found[key.name, f"task-{key.stage}"] += count
    return found


def without_progress(expected: Counter) -> Counter:
    return Counter({key: count for key, count in expected.items() if key[1] != "task-progress"})


@pytest.mark.redis
def test_a_capture_beside_two_workers_has_what_the_load_must_lead_to(redis_url):
    pools = load.tell_all(POOLS, celery_of(PYTHON))
    with running(redis_url, pools) as fleet:
        pids = fleet.pids
        loads = load.run(fleet)
    events = fleet.capture.events
    for pool, played in loads.items():
        assert load.seen(events, pool) == played.expected
    found = reference.counts(events, fleet.queues)
    assert {key.queue for key in found} == {queue(pool) for pool in pools}
    assert {key.node for key in found if key.stage != "sent"} == {node(pool) for pool in pools}
    assert counted(events, fleet.queues) == without_progress(total(loads))
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def total(loads: dict) -> Counter:
    """What all workers' loads together must be counted as."""
    return sum((played.expected - played.doubled for played in loads.values()), Counter())


@pytest.mark.parametrize("name", recording.names())
def test_a_recording_has_what_its_load_must_lead_to(name):
    recorded = recording.load(name)
    assert counted(recorded.events, recorded.queues) == without_progress(recorded.counts)


@pytest.mark.parametrize("name", recording.names())
def test_each_task_of_a_recording_ends_as_it_must(name):
    recorded = recording.load(name)
    told = reference.tasks(recorded.events, recorded.queues).values()
    states = {name: {each.state for each in told if each.name == name} for name in {each.name for each in told}}
    assert states["fleet.add"] == states["fleet.total"] == states["fleet.retry_once"] == {"SUCCESS"}
    assert states["fleet.reject_once"] == {"SUCCESS"}
    assert states["fleet.reject"] == {"REJECTED"}
    assert states["fleet.ignore"] == {"STARTED"}
    assert states["fleet.sleep"] >= {"SUCCESS"}
    failing = states.keys() & names.EXCEPTIONS.keys() - {"fleet.reject"}
    assert all(states[name] == {"FAILURE"} for name in failing)
    assert all(each.exception == names.EXCEPTIONS[each.name] for each in told if each.name in failing)
    assert all(each.times.keys() >= {"received", "started"} for each in told if each.state == "SUCCESS")
    assert {each.progress for each in told if each.name == "fleet.progress"} == {(3, 3)}


def event(type_: str, timestamp: float, **fields) -> dict:
    return {"type": f"task-{type_}", "uuid": "u", "hostname": "n", "timestamp": timestamp, "name": "t", **fields}


def test_what_is_told_twice_counts_once():
    started, failed = event("started", 1.0), event("failed", 2.0, exception="KeyError('x')")
    told_twice = [event("received", 0.5), started, started, failed, failed, failed | {"timestamp": 2.1}]
    again = [event("received", 3.0), failed | {"timestamp": 4.0}]
    found = reference.counts([*told_twice, *again], {"n": "q"})
    assert found == {
        reference.Key("t", "n", "q", "received"): 2,
        reference.Key("t", "n", "q", "started"): 1,
        reference.Key("t", "n", "q", "failed", "KeyError"): 2,
    }


def test_a_task_is_in_the_state_that_was_told_last_by_the_clock_of_who_told_it():
    events = [event("succeeded", 3.0), event("started", 2.0), event("sent", 4.0, hostname="c", queue="q")]
    told = reference.tasks(events, {})["u"]
    assert (told.state, told.node, told.queue) == ("SUCCESS", "n", "q")
    assert told.times == {"succeeded": 3.0, "started": 2.0, "sent": 4.0}
