"""What workers answer, turned into what is known of them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nightowl.core.cluster.inspection import inspected, losing_events, missing, task_names
from nightowl.core.cluster.state import Worker

WORKER = Worker(name="a@shop", up=True, heard=1.0, since=0.0, processes=(7,), pool="solo", events_on=True)
STATS = {
    "total": {"shop.b": 2, "shop.a": 1},
    "pid": 42,
    "clock": "123",
    "uptime": 90,
    "pool": {"implementation": "celery.concurrency.prefork:TaskPool", "max-concurrency": 2, "processes": [43, 44]},
    "autoscaler": {"min": 1, "max": 4, "current": 2, "qty": 1},
    "prefetch_count": 8,
    "rusage": {"maxrss": 2048},
}
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
KEYS = st.sampled_from([*STATS, "implementation", "max-concurrency", "processes", "min", "max", "maxrss", "name"])
ODD = st.recursive(JUNK, lambda inner: st.dictionaries(KEYS, inner, max_size=6) | st.lists(inner, max_size=3))


def test_all_that_is_answered_is_known() -> None:
    queues = [{"name": "celery", "exchange": {}}, {"name": "a&b"}]
    found = inspected(WORKER, {"stats": STATS, "active_queues": queues, "registered": ["x.y [rate_limit=7/m]"]}, 5.0)
    assert (found.pid, found.pool, found.concurrency, found.processes) == (42, "prefork", 2, (43, 44))
    assert (found.autoscale, found.prefetch, found.memory, found.uptime) == ((1, 4), 8, 2 * 1024 * 1024, 90.0)
    assert (found.queues, found.totals) == (("celery", "a&b"), (("shop.a", 1), ("shop.b", 2)))
    assert (found.inspected, found.heard, found.events_on) == (5.0, 1.0, True)
    assert task_names(found.registered) == ("x.y",)


def test_whether_a_pool_may_be_restarted_is_known_of_the_settings() -> None:
    confs = ({"worker_pool_restarts": True}, {}, None)
    assert [inspected(WORKER, {"conf": conf}, 5.0).pool_restarts for conf in confs] == [True, False, None]


def test_what_is_not_answered_stays() -> None:
    assert inspected(WORKER, {}, 5.0) == WORKER
    found = inspected(WORKER, {"stats": {"pool": {"implementation": "celery.concurrency.thread:TaskPool"}}}, 5.0)
    assert (found.pool, found.processes) == ("threads", (7,))


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(["stats", "active_queues", "registered", "conf"]), ODD))
def test_whatever_is_answered_it_is_of_the_right_kinds(looks: dict[str, Any]) -> None:
    found = inspected(WORKER, looks, 5.0)
    assert all(isinstance(each, int) for each in found.processes)
    assert all(isinstance(name, str) and isinstance(count, int) for name, count in found.totals)
    assert all(isinstance(each, str) for each in (*found.queues, *found.registered, found.pool))
    assert found.memory is None or found.memory >= 0
    assert found.uptime is None or math.isfinite(found.uptime)
    assert all(isinstance(each, str) for each in missing(looks.get("conf")))


def test_what_settings_hide_is_named_with_its_remedy() -> None:
    assert missing({"task_send_sent_event": True, "worker_pool_restarts": True}) == ()
    assert any("task_send_sent_event" in each for each in missing({}))


@pytest.mark.parametrize(
    ("version", "pool", "up", "loses"),
    [
        ("5.4.0", "threads", True, True),
        ("5.6.3", "threads", True, True),
        ("5.7.0", "threads", True, False),
        ("5.10.1", "threads", True, False),
        ("6.0.0", "threads", True, False),
        ("", "threads", True, False),
        ("newest", "threads", True, False),
        ("5.4.0", "prefork", True, False),
        ("5.4.0", "threads", False, False),
    ],
)
def test_a_worker_whose_threads_lose_events_is_named(version: str, pool: str, up: bool, loses: bool) -> None:
    told = losing_events([replace(WORKER, version=version, pool=pool, up=up)])
    assert [each.partition(":")[0] for each in told] == [WORKER.name] * loses
