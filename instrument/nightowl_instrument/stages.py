"""What Celery's signals tell of tasks, as items for StatsD.

Each handler does as little as it can: it looks up what it tells by name and queue, and puts that into a deque.
Where what a handler needs is missing it tells nothing; Celery keeps whatever a handler raises from the task.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from time import perf_counter, time
from typing import Any

from celery import signals
from celery.exceptions import Reject, TimeLimitExceeded
from celery.worker import state as worker_state

from nightowl_instrument.statsd import TIME, Item, Series

SENT = "nightowl_sent"
"""The header of a message that says when it was published, in Unix seconds."""

OTHER = "other"
"""The queue of a task whose routing key names none: such keys may be without number."""

MOST = 2_000
"""Tasks by name and queue whose series are remembered."""

EXCEPTIONS = 100
"""Exceptions of one task whose series are remembered."""

TWICE = 30.0
"""Seconds within which Celery tells of the same hard time limit a second time, as it does from 5.7 on."""

_NO_RUN = None, 0.0

_FAILED = "task_failed"


class Kind:
    """The series of the tasks of one name in one queue."""

    __slots__ = ("ends", "others", "received", "runtime", "sent", "started", "waited")

    def __init__(self, name: str, queue: str) -> None:
        labels = (("name", name), ("queue_name", queue))
        self.sent = Series("task_sent", labels)
        self.received = Series("task_received", labels)
        self.started = Series("task_started", labels)
        self.waited = Series("task_queue_wait_time", labels, TIME, counts=self.started)
        succeeded = Series("task_succeeded", labels)
        self.runtime = Series("task_runtime", labels, TIME, counts=succeeded)
        self.ends = {
            "REJECTED": Series("task_rejected", labels),
            "IGNORED": Series("task_ignored", labels),
        }
        """By the state that Celery tells after a run that did not succeed; failures and retries have own signals."""
        self.others = {family: Series(family, labels) for family in ("task_retried", "task_revoked", "task_unknown")}

    def failed(self, exception: str) -> Series:
        """The series of failures by an exception."""
        found = self.others.get(exception)
        if found is None:
            found = Series(_FAILED, (*self.sent.labels, ("exception", exception)))
            if len(self.others) < EXCEPTIONS:
                self.others[exception] = found
        return found


class Stages:
    """Handlers of signals. ``put`` takes an item; ``queue_of`` names the queue of an exchange and a routing key."""

    def __init__(self, put: Callable[[Item], None], queue_of: Callable[[str, str], str]) -> None:
        self._put = put
        self._queue_of = queue_of
        self._kinds: dict[tuple[str, str, str], Kind] = {}
        self._limited: dict[str, float] = {}

    def connect(self) -> None:
        """Listen to Celery from now on. Signals are of all apps in this process."""
        for signal, handler in (
            (signals.before_task_publish, self.sent),
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

    def sent(
        self, sender: Any = None, headers: Any = None, exchange: Any = "", routing_key: Any = "", **_: Any
    ) -> None:
        """A message is published; it takes with it when that was."""
        if headers.__class__ is dict:
            headers[SENT] = time()
        self._put(self._kind(sender, exchange, routing_key).sent)

    def received(self, request: Any, **_: Any) -> None:
        """A worker took a message; it may wait for its time or for a free process."""
        self._put(self._of(request.name, request.delivery_info).received)

    def started(self, task: Any, **_: Any) -> None:
        """A task begins, in the process that runs it."""
        request = task.request
        if request.is_eager:
            return
        kind = self._of(task.name, request.delivery_info)
        sent = getattr(request, SENT, None)
        if sent is None:
            self._put(kind.started)
        else:
            due = max(sent, _moment(request.eta)) if request.eta else sent
            self._put((kind.waited, max(0.0, 1000.0 * (time() - due))))
        request.nightowl_run = kind, perf_counter()

    def ended(self, task: Any, state: Any = "", **_: Any) -> None:
        """A task's code has returned or raised."""
        kind, began = getattr(task.request, "nightowl_run", _NO_RUN)
        if kind is None:
            return
        if state == "SUCCESS":
            self._put((kind.runtime, 1000.0 * (perf_counter() - began)))
        elif (series := kind.ends.get(state)) is not None:
            self._put(series)

    def failed(self, sender: Any, task_id: str = "", exception: Any = None, **_: Any) -> None:
        """A task failed: in its process, or in the worker's own, where the process was lost or ran out of time.

        ``Reject`` is told as a failure as well, from Celery 5.7 on: it has ended as rejected.
        """
        request = sender.request
        if request.is_eager or isinstance(exception, Reject) or self._is_told_again(task_id, exception):
            return
        if request.id != task_id:
            request = worker_state.requests.get(task_id)
        kind = self._of(sender.name, getattr(request, "delivery_info", None))
        self._put(kind.failed(type(exception).__name__))

    def _is_told_again(self, task_id: str, exception: Any) -> bool:
        """Whether this is a hard time limit that was told a moment ago."""
        if not isinstance(exception, TimeLimitExceeded):
            return False
        now = perf_counter()
        if now - self._limited.pop(task_id, -TWICE) < TWICE:
            return True
        if len(self._limited) >= MOST:
            self._limited.clear()
        self._limited[task_id] = now
        return False

    def retried(self, sender: Any, request: Any = None, **_: Any) -> None:
        """A task asked to be run again."""
        if not getattr(request, "is_eager", False):
            self._other(sender.name, request, "task_retried")

    def revoked(self, sender: Any, request: Any = None, **_: Any) -> None:
        """A task was revoked, expired or terminated."""
        self._other(sender.name, request, "task_revoked")

    def unknown(self, message: Any = None, **_: Any) -> None:
        """A worker got a task that it does not have. Its name may be anything, so that it is not told."""
        self._other(OTHER, message, "task_unknown")

    def rejected(self, message: Any = None, **_: Any) -> None:
        """A worker got a message that is no task."""
        self._put(self._of(OTHER, getattr(message, "delivery_info", None)).ends["REJECTED"])

    def _other(self, name: str, carrier: Any, family: str) -> None:
        self._put(self._of(name, getattr(carrier, "delivery_info", None)).others[family])

    def _of(self, name: str, info: Any) -> Kind:
        """The kind of a task by how it was delivered."""
        return self._kind(name, info.get("exchange"), info.get("routing_key")) if info else self._kind(name, None, None)

    def _kind(self, name: Any, exchange: Any, routing_key: Any) -> Kind:
        key = (name, exchange, routing_key)
        found = self._kinds.get(key)
        if found is None:
            exchange = getattr(exchange, "name", exchange) or ""
            queue = self._queue_of(exchange, routing_key or "") if exchange or routing_key else OTHER
            found = Kind(str(name), queue)
            if len(self._kinds) < MOST:
                self._kinds[key] = found
        return found


def _moment(eta: Any) -> float:
    """Unix seconds of a task's ETA (0: none that can be read)."""
    if not eta:
        return 0.0
    try:
        found = eta if isinstance(eta, datetime) else datetime.fromisoformat(str(eta).replace("Z", "+00:00"))
        return found.timestamp()
    except (ValueError, OverflowError):
        return 0.0
