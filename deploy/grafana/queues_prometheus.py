"""Celery's queues over Prometheus: what waits, and who takes it."""

from __future__ import annotations

from deploy.grafana.boards import Board, Panel, Row
from deploy.grafana.prometheus import CLUSTER, JOB, OF_QUEUES, QUEUE, limits, lines, rate


def boards() -> list[Board]:
    """The one there is."""
    return [
        Board(
            uid="nightowl-celery-queues",
            title="NightOwl: Celery queues",
            says="What waits in each queue, how old it is, and who takes it.",
            source="prometheus",
            variables=(JOB, CLUSTER, QUEUE),
            rows=(Row("What waits", (*_waiting(), *_flow())), Row("Who takes it", _takers())),
        )
    ]


def _waiting() -> tuple[Panel, ...]:
    return (
        lines("Length", "Messages that wait.", {"{{queue_name}}": _each("queue_length")}, steps=limits(100, 1000)),
        _gauge("With workers", "Messages that workers hold unacknowledged.", "queue_unacked"),
        _gauge("For later", "Of these, the ones that are not due yet.", "queue_scheduled"),
        lines(
            "Oldest",
            "Age of the oldest message that waits.",
            {"{{queue_name}}": _each("queue_oldest_age_seconds", "max")},
            "s",
        ),
    )


def _flow() -> tuple[Panel, ...]:
    out = rate("celery_task_started_total", OF_QUEUES, "cluster, queue_name")
    both = {
        f"{event} {{{{queue_name}}}}": rate(f"celery_task_{event}_total", OF_QUEUES, "queue_name")
        for event in ("sent", "started")
    }
    return (
        lines(
            "Time to drain",
            "Seconds until all that waits now has been started, at the present pace.",
            {"{{queue_name}}": f"{_each('queue_length')} / {out}"},
            "s",
        ),
        lines("In and out", "Tasks sent (needs task_send_sent_event) and started a second.", both, "ops"),
    )


def _takers() -> tuple[Panel, ...]:
    return (
        _gauge("Consumers", "Consumers, where the broker tells.", "active_consumer_count"),
        _gauge("Workers", "Workers that consume the queue.", "active_worker_count"),
        _gauge("Processes", "Processes or threads of these.", "active_process_count"),
    )


def _each(metric: str, how: str = "sum") -> str:
    return f"{how} by (cluster, queue_name) (celery_{metric}{{{OF_QUEUES}}})"


def _gauge(title: str, says: str, metric: str) -> Panel:
    return lines(title, says, {"{{queue_name}}": _each(metric)})
