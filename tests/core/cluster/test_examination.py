"""What the settings of workers hide, said once for all that share it."""

from __future__ import annotations

from nightowl.core.cluster.examination import Part, settings, verdict

WHOLE = {"task_send_sent_event": True, "worker_pool_restarts": True, "worker_send_task_events": True}


def test_workers_that_hide_the_same_are_told_together() -> None:
    confs = {"b": {**WHOLE, "task_send_sent_event": False}, "a": {"worker_pool_restarts": True}, "c": WHOLE}
    (part,) = settings(confs, enable_events=True, cluster="shop")
    assert part.health == "missing"
    assert part.says == "a, b: how long tasks wait in queues is unknown"
    assert part.mend == "set task_send_sent_event = True"


def test_events_that_are_off_matter_where_nobody_switches_them_on() -> None:
    quiet = {"a": {**WHOLE, "worker_send_task_events": False}}
    assert [part.health for part in settings(quiet, enable_events=True, cluster="shop")] == ["works"]
    (part,) = settings(quiet, enable_events=False, cluster="shop")
    assert "run the worker with -E" in part.mend
    assert "[cluster.shop]" in part.mend


def test_nothing_is_said_where_nobody_answered() -> None:
    assert settings({}, enable_events=False, cluster="shop") == []


def test_the_worst_part_is_the_verdict() -> None:
    works, missing, fails = (
        Part(name="x", health="works", says=""),
        Part(name="x", health="missing", says=""),
        Part(name="x", health="fails", says=""),
    )
    assert [verdict(found) for found in ([], [works], [missing, works], [missing, fails])] == [
        "works",
        "works",
        "missing",
        "fails",
    ]
