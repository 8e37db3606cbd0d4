"""Celery's own event dispatcher, which also hands every event to what pushes it.

So what is pushed is what Celery would send, where the broker carries no events, too. One thing is added: a worker's
``task-received`` says from which queue it came, as the ``task-sent`` that says so may be lost with its client. What
Celery sends over the broker stays as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from celery import signals
from celery.app.events import Events
from celery.events import event as events
from celery.events.dispatcher import EventDispatcher
from celery.utils.time import utcoffset as offset_now
from kombu.utils.objects import cached_property

from nightowl_instrument.queues import QueueNames
from nightowl_instrument.stages import OTHER

Put = Callable[[dict[str, Any]], None]


class Receipts:
    """How the task came that a worker received last. Celery tells the signal right before it sends task-received."""

    def __init__(self, app: Any) -> None:
        self._queue_of = QueueNames(app)
        self._last: Any = None

    def received(self, request: Any = None, **_: Any) -> None:
        """Note a task that was received."""
        self._last = request

    def of(self, uuid: Any) -> dict[str, str]:
        """Return queue, exchange and routing key of a task, as its task-sent names them, as far as they are known."""
        request, self._last = self._last, None
        if request is None or request.id != uuid:
            return {}
        came = request.delivery_info or {}
        exchange, routing_key = came.get("exchange") or "", came.get("routing_key") or ""
        queue = self._queue_of(exchange, routing_key)
        if queue == OTHER != routing_key:
            return {}
        return {"queue": queue, "exchange": exchange, "routing_key": routing_key}


class PushingDispatcher(EventDispatcher):
    """An ``EventDispatcher`` that always has somewhere to send to. ``put`` never waits and never raises."""

    put: Put
    receipts: Receipts
    is_pushing = False
    is_over_broker = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_pushing = True

    @property
    def enabled(self) -> bool:
        """Whether events go anywhere. Celery sets it to whether they go over the broker."""
        return self.is_pushing or self.is_over_broker

    @enabled.setter
    def enabled(self, value: bool) -> None:
        self.is_over_broker = value

    def disable(self) -> None:
        """End. What comes afterwards goes nowhere."""
        self.is_pushing = False
        super().disable()

    def send(
        self,
        type: str,  # noqa: A002 - the names are Celery's
        blind: bool = False,
        utcoffset: Callable[[], int] = offset_now,
        retry: bool = False,
        retry_policy: Any = None,
        Event: Callable[..., dict[str, Any]] = events.Event,  # noqa: N803
        **fields: Any,
    ) -> Any:
        """Send an event; the one over the broker has the same timestamp, so that both are known for one."""
        fields.setdefault("timestamp", time.time())
        if self.is_pushing:
            more = self.receipts.of(fields.get("uuid")) if type == "task-received" else {}
            self._push(type, {**fields, **more}, blind=blind, utcoffset=utcoffset)
        if self.is_over_broker:
            return super().send(type, blind, utcoffset, retry, retry_policy, Event, **fields)
        return None

    def publish(
        self,
        type: str,  # noqa: A002
        fields: dict[str, Any],
        producer: Any,
        blind: bool = False,
        Event: Callable[..., dict[str, Any]] = events.Event,  # noqa: N803
        **kwargs: Any,
    ) -> Any:
        """Send an event by a producer, as Celery does with ``task-sent`` alone when it has published a message."""
        if type == "task-sent":
            fields.setdefault("timestamp", time.time())
            self._push(type, fields, blind=blind)
            if not self.app.events.is_sent_over_broker:
                return None
        return super().publish(type, fields, producer, blind, Event, **kwargs)

    def _push(
        self, kind: str, fields: dict[str, Any], *, blind: bool, utcoffset: Callable[[], int] = offset_now
    ) -> None:
        clock = None if blind else self.clock.forward()
        known = {"hostname": self.hostname, "utcoffset": utcoffset(), "pid": self.pid, "clock": clock}
        self.put(events.Event(kind, {**known, **fields}))


class PushingEvents(Events):
    """``app.events`` of an app whose events are pushed."""

    is_sent_over_broker = False

    def __init__(self, app: Any, put: Put) -> None:
        super().__init__(app=app)
        self._put = put
        self._receipts = Receipts(app)
        signals.task_received.connect(self._receipts.received, weak=False)

    @cached_property  # type: ignore[untyped-decorator]  # kombu has no types
    def Dispatcher(self) -> Any:  # noqa: N802 - the name is Celery's
        """The class of dispatchers, bound to the app."""
        bound = type("Dispatcher", (PushingDispatcher,), {"put": staticmethod(self._put), "receipts": self._receipts})
        return self.app.subclass_with_self(bound, reverse="events.Dispatcher")


def are_pushed(app: Any) -> bool:
    """Whether the events of an app are pushed."""
    return isinstance(app.__dict__.get("events"), PushingEvents)


def push_events(app: Any, put: Put) -> None:
    """Let all events of an app go to ``put`` as well, and let it tell of each message that it sends; once for each."""
    if are_pushed(app):
        return
    app.events = pushing = PushingEvents(app, put)
    made = app.__dict__.get("amqp")
    for cached in ("_event_dispatcher", "send_task_message") if made is not None else ():
        made.__dict__.pop(cached, None)  # it has the dispatcher of before

    def configured(**_: Any) -> None:
        pushing.is_sent_over_broker = bool(app.conf.task_send_sent_event)
        app.conf.task_send_sent_event = True

    if app.configured:
        configured()
    else:
        app.on_after_configure.connect(configured, weak=False)
