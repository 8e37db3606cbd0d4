"""A task as Flower shows it: 31 fields, each always there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from nightowl.core.cluster.task import Task, TaskState


def flower_state(task: Task) -> str:
    """The state by Celery's words: one that was lost with its worker was started, which is the last that it told."""
    return TaskState.STARTED.value if task.state == TaskState.LOST else task.state


def task_object(task: Task, children: Sequence[str] = ()) -> dict[str, Any]:
    """Return all fields. Moments are Unix seconds; those that were asked for (``eta``, ``expires``) are ISO 8601."""
    return {
        "uuid": task.uuid,
        "name": task.name or None,
        "state": flower_state(task),
        "received": task.received,
        "sent": task.sent,
        "started": task.started,
        "rejected": task.rejected,
        "succeeded": task.succeeded,
        "failed": task.failed,
        "retried": task.retried,
        "revoked": task.revoked,
        "args": task.args,
        "kwargs": task.kwargs,
        "eta": _iso(task.eta),
        "expires": _iso(task.expires),
        "retries": task.retries,
        "worker": task.worker or None,
        "result": task.result,
        "exception": None if task.state == TaskState.REVOKED else task.error,
        "timestamp": task.updated,
        "runtime": task.runtime,
        "traceback": task.traceback,
        "exchange": task.exchange if task.queue else None,
        "routing_key": task.routing_key or None,
        "clock": task.clock,
        "client": task.client or None,
        "root": task.root or None,
        "root_id": task.root or None,
        "parent": task.parent or None,
        "parent_id": task.parent or None,
        "children": list(children),
    }


def _iso(moment: float | None) -> str | None:
    if moment is None:
        return None
    try:
        return datetime.fromtimestamp(moment, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None
