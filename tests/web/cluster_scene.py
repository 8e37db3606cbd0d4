"""A shop's Celery cluster at one moment: workers, queues, tasks of every state, a workflow, a gap, an hour's series."""

from __future__ import annotations

from collections.abc import Iterator
from math import sin

from nightowl.core.cluster.events import Gap
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.cluster.state import Broker, ClusterState, Due, Queue, Worker
from nightowl.core.cluster.task import Task
from nightowl.core.values import Sample
from nightowl.ports import Store
from nightowl.ports.clusters import TaskStore

CLUSTERS = {
    "shop": ClusterSettings(name="shop", broker="redis://127.0.0.1/0"),
    "warehouse": ClusterSettings(name="warehouse", broker="amqp://127.0.0.1//"),
}
ANSWERS = {
    "active": [{"id": "started-id", "name": "shop.resize", "args": ["lamp.jpg"], "kwargs": {"width": 640}}],
    "conf": {"broker_url": "redis://127.0.0.1/0", "task_routes": {"shop.resize": {"queue": "images"}}},
}
TRACEBACK = """Traceback (most recent call last):
  File "/srv/shop/tasks.py", line 31, in charge
    raise CardDeclined("no funds")
shop.errors.CardDeclined: no funds
"""
UNIDENTIFIED = "order <script>alert(1)</script> & 50% \u2713/7"
MEANS = (0.08, 0.3, 0.7, 2.9, 8.2)
"""Seconds that tasks of each narrow bucket take."""


def workers(now: float) -> tuple[Worker, ...]:
    web = Worker(
        name="celery@web-1",
        up=True,
        heard=now - 1,
        since=now - 86400,
        active=2,
        processed=18214,
        loadavg=(0.42, 0.5, 0.6),
        software="py-celery",
        version="5.7.0",
        system="Linux",
        skew=0.004,
        inspected=now - 4,
        pid=4711,
        pool="prefork",
        concurrency=4,
        processes=(4712, 4713, 4714, 4715),
        prefetch=16,
        memory=183_500_800,
        uptime=86400.0,
        queues=("celery", "emails"),
        registered=("shop.charge", "shop.send_receipt"),
        totals=(("shop.charge", 12000), ("shop.send_receipt", 6214)),
    )
    fast = Worker(
        name="images@web/2",
        up=True,
        heard=now - 1,
        since=now - 400,
        active=1,
        processed=31,
        skew=3541.2,
        pool="threads",
        concurrency=8,
        queues=("images",),
    )
    silent = Worker(name="celery@old-3", up=False, heard=now - 420, since=now - 9000, offline=now - 120, processed=88)
    left = Worker(name="celery@web-0", up=False, heard=now - 60, since=now - 900, offline=now - 60, goodbye=True)
    return web, fast, silent, left


def state(now: float) -> ClusterState:
    queues = (
        Queue(name="celery", ready=0, unacked=2, workers=2, processes=12, rate_in=12.5, rate_out=12.5),
        Queue(name="images", ready=1204, unacked=8, scheduled=3, age=312.0, workers=1, rate_in=9.0, rate_out=4.2),
        Queue(name="reports", ready=7, workers=0),
        Queue(name="emails"),
    )
    beat = (
        Due(name="nightly", task="shop.report", schedule="at 03:00 every day", next=now + 29000, last=now - 57400),
        Due(
            name="sync", task="shop.sync", schedule="every 5 min", next=now - 400, last=now - 700, late=400.0, missed=1
        ),
        Due(name="old", task="shop.old", schedule="every hour", enabled=False),
    )
    return ClusterState(
        name="shop",
        at=now - 0.4,
        since=now - 3600,
        workers=workers(now),
        queues=queues,
        beat=beat,
        broker=Broker(kind="redis", url="redis://127.0.0.1:6379/0", version="7.0.15", memory=52_428_800, clients=23),
        missing=("Queues of tasks are not told: set task_send_sent_event = True in the app.",),
        events=51_200,
        refused=3,
        open_tasks=11,
    )


def tasks(now: float) -> Iterator[Task]:
    """A task of every state, then a workflow: a chain of one and a group of three with a callback."""
    base = now - 600
    charge = {
        "name": "shop.charge",
        "worker": "celery@web-1",
        "queue": "celery",
        "args": "(42,)",
    }
    yield Task(
        uuid="11111111-1111-4111-8111-111111111111",
        state="SUCCESS",
        sent=base,
        received=base + 0.1,
        kwargs="{'card': '***'}",
        started=base + 0.2,
        succeeded=base + 0.7,
        runtime=0.5,
        wait=0.2,
        result="'ok'",
        executions=1,
        updated=base + 0.7,
        seen=base,
        **charge,
    )
    yield Task(
        uuid="22222222-2222-4222-8222-222222222222",
        state="FAILURE",
        sent=base + 1,
        received=base + 1.1,
        started=base + 1.2,
        failed=base + 1.4,
        wait=0.2,
        exception="shop.errors.CardDeclined",
        error="CardDeclined('no funds')",
        place="shop/tasks.py:31 in charge",
        traceback=TRACEBACK,
        retries=2,
        executions=3,
        updated=base + 1.4,
        seen=base + 1,
        **charge,
    )
    for at, word in enumerate(("PENDING", "RECEIVED", "STARTED", "RETRY", "REVOKED", "REJECTED", "LOST")):
        yield Task(
            uuid=f"{word.lower()}-id",
            name=UNIDENTIFIED if word == "RETRY" else "shop.resize",
            state=word,
            worker="" if word == "PENDING" else "images@web/2",
            queue="images",
            sent=base + 9 + at,
            seen=base + 9 + at,
            received=None if word == "PENDING" else base + 10 + at,
            updated=base + 12 + at,
            started=base + 12 + at if word in ("STARTED", "LOST") else None,
            error="Timeout()" if word == "RETRY" else None,
            current=30.0 if word == "STARTED" else None,
            total=100.0 if word == "STARTED" else None,
        )
    yield from _workflow(now - 60)


def _workflow(base: float) -> Iterator[Task]:
    def done(uuid: str, name: str, parent: str, start: float, took: float, worked: bool = True) -> Task:
        return Task(
            uuid=uuid,
            name=name,
            state="SUCCESS" if worked else "FAILURE",
            worker="celery@web-1",
            queue="celery",
            root="flow-root",
            parent=parent,
            sent=base + start - 0.4,
            received=base + start - 0.3,
            started=base + start,
            succeeded=base + start + took if worked else None,
            failed=None if worked else base + start + took,
            runtime=took if worked else None,
            wait=0.4,
            updated=base + start + took,
            seen=base + start - 0.4,
        )

    yield done("flow-root", "shop.import", "", 0.5, 2.0)
    yield from (done(f"flow-part-{at}", "shop.resize", "flow-root", 3.0 + at / 5, 4.0 + at, at != 1) for at in range(3))
    yield done("flow-end", "shop.publish", "flow-part-2", 10.0, 1.5)


def samples(now: float) -> Iterator[tuple[float, list[Sample]]]:
    """An hour in which load comes and goes, run times grow with it, and images pile up at the end."""
    labels = (("cluster", "shop"), ("name", "shop.charge"), ("queue_name", "celery"))
    counts = dict.fromkeys(("received", "succeeded", "retried", "failed"), 0.0)
    buckets = dict.fromkeys(MEANS, 0.0)
    for step in range(120):
        at = now - 3600 + step * 30
        load = 1 + 0.4 * sin(step / 11) + 0.15 * sin(step / 1.7)
        shares = {"received": 300, "succeeded": 290, "retried": 1, "failed": 9 + 8 * (70 < step < 85)}
        counts = {word: count + shares[word] * load for word, count in counts.items()}
        parts = (60, 140, 90 - 21 * load, 20 * load, load)
        buckets = {mean: buckets[mean] + share * load for mean, share in zip(MEANS, parts, strict=True)}
        found = [Sample(f"celery_task_{word}_total", labels, at, count) for word, count in counts.items()]
        for metric in ("celery_task_runtime", "celery_task_queue_wait_time"):
            for mean, count in buckets.items():
                whole = tuple(sorted((*labels, ("le", f"{mean * 1.1:g}"))))
                found.append(Sample(f"{metric}_narrow_count", whole, at, count))
                found.append(Sample(f"{metric}_narrow_sum", whole, at, count * mean))
        for queue, depth in (("celery", max(0.0, 40 * load - 30)), ("images", max(120 * load, 29.0 * (step - 78)))):
            found.append(Sample("celery_queue_length", (("cluster", "shop"), ("queue_name", queue)), at, depth // 1))
        oldest = (("cluster", "shop"), ("queue_name", "images"))
        found.append(Sample("celery_queue_oldest_age_seconds", oldest, at, 2.0 * step))
        found.append(Sample("celery_worker_up", (("cluster", "shop"), ("worker", "celery@web-1")), at, 1.0))
        yield at, found


def fill(store: Store, kept: TaskStore, now: float) -> None:
    kept.write("shop", list(tasks(now)), state=state(now), gaps=[Gap(now - 900, now - 894, "the broker went away")])
    with store.transaction() as unit:
        for at, found in samples(now):
            unit.series.append("watcher/shop", at, found)
