"""What Celery's signals tell of tasks, as entries for StatsD.

Each handler does as little as it can: it looks up a series by name and queue, and puts it into the courier's deque.
Where what a handler needs is missing it tells nothing; Celery keeps whatever a handler raises from the task.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from celery import signals
from celery.worker import state as worker_state

from nightowl_instrument.statsd import COUNT, TIME, Entry, Series

SENT = "nightowl_sent"
"""The header of a message that says when it was published, in Unix seconds."""

OTHER = "other"
"""The queue of a task whose routing key names none: such keys may be without number."""

MOST = 10_000
"""Series that are remembered ready to be put."""

_ENDS = {"SUCCESS": "task_succeeded", "REJECTED": "task_rejected", "IGNORED": "task_ignored"}


class Stages:
    """Handlers of signals. ``put`` takes an entry; ``queue_of`` names the queue of an exchange and a routing key."""

    def __init__(self, put: Callable[[Entry], None], queue_of: Callable[[str, str], str]) -> None:
        self._put = put
        self._queue_of = queue_of
        self._entries: dict[tuple[str, str, str, str], Entry] = {}

    def connect(self) -> None:
        """Listen to Celery from now on. Signals are of all apps in this process."""
        for signal, handler in (
            (signals.before_task_publish, self.published),
            (signals.after_task_publish, self.sent),
            (signals.task_received, self.received),
            (signals.task_prerun, self.started),
            (signals.task_postrun, self.ended),
            (signals.task_failure, self.failed),
            (signals.task_retry, self.retried),
            (signals.task_revoked, self.revoked),
            (signals.task_unknown, self.unknown),
            (signals.task_rejected, self.rejected),
        ):
            signal.connect(handler, weak=False, dispatch_uid=f"nightowl-{handler.__name__}")

    def published(self, headers: Any = None, **_: Any) -> None:
        """Note in a message when it is published."""
        if isinstance(headers, dict):
            headers[SENT] = time.time()

    def sent(self, sender: Any = None, exchange: Any = "", routing_key: str = "", **_: Any) -> None:
        """A message was published."""
        self._count("task_sent", str(sender), self._queue_of(str(exchange or ""), routing_key or ""))

    def received(self, request: Any, **_: Any) -> None:
        """A worker took a message; it may wait for its time or for a free process."""
        self._count("task_received", request.name, self._queue(request.delivery_info))

    def started(self, task: Any, **_: Any) -> None:
        """A task begins, in the process that runs it."""
        request = task.request
        if request.is_eager:
            return
        queue = self._queue(request.delivery_info)
        self._count("task_started", task.name, queue)
        sent = getattr(request, SENT, None)
        if sent is not None:
            waited = max(0.0, time.time() - max(float(sent), _moment(request.eta)))
            self._time("task_queue_wait_time", task.name, queue, waited)
        request.nightowl_began = time.perf_counter()

    def ended(self, task: Any, state: str = "", **_: Any) -> None:
        """A task's code has returned or raised; failures and retries have signals of their own."""
        family, request = _ENDS.get(state), task.request
        if family is None or request.is_eager:
            return
        queue = self._queue(request.delivery_info)
        self._count(family, task.name, queue)
        if state == "SUCCESS":
            began = getattr(request, "nightowl_began", None)
            if began is not None:
                self._time("task_runtime", task.name, queue, time.perf_counter() - began)

    def failed(self, sender: Any, task_id: str = "", exception: Any = None, **_: Any) -> None:
        """A task failed: in its process, or in the worker's own, where the process was lost or ran out of time."""
        request = sender.request
        if request.is_eager:
            return
        if request.id != task_id:
            request = worker_state.requests.get(task_id)
        queue = self._queue(getattr(request, "delivery_info", None))
        self._count("task_failed", sender.name, queue, type(exception).__name__)

    def retried(self, sender: Any, request: Any = None, **_: Any) -> None:
        """A task asked to be run again."""
        if not getattr(request, "is_eager", False):
            self._count("task_retried", sender.name, self._queue(getattr(request, "delivery_info", None)))

    def revoked(self, sender: Any, request: Any = None, **_: Any) -> None:
        """A task was revoked, expired or terminated."""
        self._count("task_revoked", sender.name, self._queue(getattr(request, "delivery_info", None)))

    def unknown(self, message: Any = None, **_: Any) -> None:
        """A worker got a task that it does not have. Its name may be anything, so that it is not told."""
        self._count("task_unknown", OTHER, self._queue(getattr(message, "delivery_info", None)))

    def rejected(self, message: Any = None, **_: Any) -> None:
        """A worker got a message that is no task."""
        self._count("task_rejected", OTHER, self._queue(getattr(message, "delivery_info", None)))

    def _queue(self, delivery_info: Any) -> str:
        if not delivery_info:
            return OTHER
        return self._queue_of(delivery_info.get("exchange") or "", delivery_info.get("routing_key") or "")

    def _count(self, family: str, name: str, queue: str, exception: str = "") -> None:
        key = (family, name, queue, exception)
        entry = self._entries.get(key)
        if entry is None:
            labels = (("name", name), ("queue_name", queue), *((("exception", exception),) if exception else ()))
            entry = Entry(Series(family, labels), COUNT)
            if len(self._entries) < MOST:
                self._entries[key] = entry
        self._put(entry)

    def _time(self, family: str, name: str, queue: str, seconds: float) -> None:
        self._put(Entry(Series(family, (("name", name), ("queue_name", queue))), TIME, 1000.0 * seconds))


def _moment(eta: Any) -> float:
    """Unix seconds of a task's ETA (0: none that can be read)."""
    if not eta:
        return 0.0
    try:
        found = eta if isinstance(eta, datetime) else datetime.fromisoformat(str(eta).replace("Z", "+00:00"))
        return found.timestamp()
    except (ValueError, OverflowError):
        return 0.0
