"""Celery's own receiver with its ``State`` and a handler that counts for Prometheus, as exporters of metrics have it.

``python exporter.py BROKER PORT`` stands in for celery-exporter, whose program cannot be installed from PyPI: it does
what that does with an event (https://github.com/danihodovic/celery-exporter, ``src/exporter.py``): ``State.event``, a
counter by name, host and queue, the other counters at 0 for the same labels, and a histogram of run times.
"""

from __future__ import annotations

import sys
from typing import Any

from celery import Celery
from prometheus_client import Counter, Histogram, start_http_server

LABELS = ("name", "hostname", "queue_name")

app = Celery("exporter", broker=sys.argv[1])
app.conf.event_queue_ttl = 3600
state = app.events.State()
counters = {
    kind: Counter(
        f"celery_{kind.replace('-', '_')}", kind, (*LABELS, *(["exception"] if kind == "task-failed" else []))
    )
    for kind in (
        f"task-{each}"
        for each in ("sent", "received", "started", "succeeded", "failed", "rejected", "revoked", "retried")
    )
}
runtime = Histogram("celery_task_runtime", "run time", LABELS)


def track(event: dict[str, Any]) -> None:
    """Count an event."""
    state.event(event)
    if event["type"] not in counters:
        return
    task = state.tasks.get(event["uuid"])
    labels = {
        "name": task.name or "", "hostname": event["hostname"].rpartition("@")[2],
        "queue_name": getattr(task, "queue", None) or "celery",
    }  # fmt: skip
    for kind, counter in counters.items():
        if kind == event["type"]:
            counter.labels(**labels, **raised(kind, task.exception)).inc()
        elif kind != "task-sent":
            counter.labels(**labels, **raised(kind, ""))
    if event["type"] == "task-succeeded":
        runtime.labels(**labels).observe(task.runtime or 0.0)


def raised(kind: str, exception: str) -> dict[str, str]:
    """The label that only failures have."""
    return {"exception": str(exception).partition("(")[0]} if kind == "task-failed" else {}


start_http_server(int(sys.argv[2]), "127.0.0.1")
with app.connection_for_read() as connection:
    receiver = app.events.Receiver(connection, handlers={"*": track})
    receiver.capture(limit=None, timeout=None, wakeup=False)
