"""Tasks sent by name into a cluster's queues, as its own clients send them, in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from celery import Celery
from celery.utils import uuid
from kombu import Exchange, Producer, Queue

from nightowl.adapters.celery_cluster.control.lines import Lines, if_there


class Sender:
    """Writes messages of tasks. ``default_queue`` is where they go that name none."""

    def __init__(self, lines: Lines, default_queue: str, *, events: bool) -> None:
        """``events``: task-sent is told, as the broker has events."""
        self._lines = lines
        self._default = default_queue
        self._events = events
        self._app = Celery("nightowl-cluster", set_as_current=False)
        self._app.conf.update(
            task_serializer="json",
            accept_content=["json"],
            result_backend=None,
            task_send_sent_event=events,
            task_default_queue=default_queue,
            enable_utc=True,
        )

    def send(self, task: str, args: Sequence[object], kwargs: dict[str, object], options: dict[str, object]) -> str:
        """Put a task into its queue; return its id."""
        given = dict(options)
        task_id = str(given.pop("task_id", None) or uuid())
        queue = str(given.pop("queue", None) or self._default)
        way = {key: given.pop(key) for key in _ROUTING if given.get(key) is not None}
        if "exchange" in way:
            way.setdefault("routing_key", queue)
        with self._lines.channel(lambda channel: _there(channel, queue)) as channel:
            self._app.amqp.send_task_message(
                Producer(channel, auto_declare=False),
                task,
                self._app.amqp.as_task_v2(task_id, task, list(args), kwargs, create_sent_event=self._events, **given),
                queue=Queue(queue, Exchange("", type="direct"), routing_key=queue, no_declare=True),
                declare=[],
                retry=False,
                serializer="json",
                delivery_mode=2,
                **way,
            )
        return task_id


_ROUTING = ("exchange", "routing_key", "priority")


def _there(channel: Any, name: str) -> Any:
    """Return the channel of a queue that exists: RabbitMQ would drop a message for one that does not.

    One that does is left as it is: to declare it with other arguments than its own is refused.
    """
    speaks_amqp = channel.connection.client.transport.driver_type == "amqp"
    if speaks_amqp and if_there(channel, lambda own: own.queue_declare(queue=name, passive=True)) is None:
        Queue(name, Exchange(name, type="direct"), routing_key=name).bind(channel).declare()
    return channel
