"""Celery's consumer, made fit to run for years among strangers' messages and brokers that come and go.

Celery's own prints what it refuses, gives up after some tries, ends with the worker when a message is of an
unexpected shape, and waits up to 32 s between tries.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from celery.exceptions import WorkerShutdown
from celery.worker.consumer import Consumer
from kombu import Connection, Message

from nightowl.adapters.celery_bus.garbage import Garbage
from nightowl.adapters.celery_bus.guarded import STRANGE
from nightowl.adapters.celery_bus.link import Link

PAUSE = 0.5
"""Seconds between tries to connect."""

PART = "consumer"

UNREADABLE = (ValueError, LookupError, TypeError, RecursionError)
"""What kombu raises on something in a queue that no Celery program has put there."""


def unreadable(error: BaseException) -> bool:
    """Whether an error is about a message. A certificate that cannot be verified is both a value and an OS error."""
    return isinstance(error, UNREADABLE) and not isinstance(error, OSError)


class BatchConsumer(Consumer):
    """Consumes until it is stopped. ``link`` and ``garbage`` are those of the actor: see ``consumer_of``."""

    link: Link
    garbage: Garbage
    connection: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connection_errors = (Exception,)  # nothing that a broker or a message does may end the worker
        self._ending = threading.Event()
        self._ended = False

    def end(self) -> None:
        """End the worker, from any thread. It ends in its own, for two must not read from one connection."""
        self._ending.set()
        self.call_soon(self._end_if_asked)

    def _end_if_asked(self) -> None:
        if self._ending.is_set() and not self._ended:
            self._ended = True  # a worker that ends comes by here again
            raise WorkerShutdown(0)

    def ensure_connected(self, conn: Connection) -> Connection:
        """Connect, however long it takes."""
        while True:
            self._end_if_asked()
            try:
                conn.connect()
            except Exception as error:  # noqa: BLE001 - whatever the driver raises: try again
                self.link.lost(PART, error)
                self._ending.wait(PAUSE)
            else:
                return conn

    def on_ready(self) -> None:
        """The queues are consumed."""
        self.link.works(PART)
        self._end_if_asked()
        super().on_ready()

    def on_connection_error_before_connected(self, exc: BaseException) -> None:
        """Celery is about to start this consumer again."""
        self._interrupted(exc)

    def on_connection_error_after_connected(self, exc: BaseException) -> None:
        """Celery is about to start this consumer again, on a new connection."""
        self._interrupted(exc)
        broken, self.connection = self.connection, None
        with suppress(Exception):  # it is broken anyway
            broken.collect(socket_timeout=PAUSE)
            broken.close()

    def _interrupted(self, error: BaseException) -> None:
        if unreadable(error):
            self.garbage.refuse(STRANGE)
        else:
            self.link.lost(PART, error)
        self._ending.wait(PAUSE)  # Celery complains of consumers that start again more often

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Message], None]:
        """Celery's handler, whose own surprises at a message become a refusal."""
        handle = super().create_task_handler(*args, **kwargs)

        def handle_any(message: Message) -> None:
            if message.unfit:
                self._refuse(message, message.unfit)
                return
            try:
                handle(message)
            except (*UNREADABLE, AttributeError):
                self._refuse(message, "a task of an unexpected shape")

        return handle_any

    def on_decode_error(self, message: Message, exc: BaseException) -> None:  # noqa: ARG002 - Celery's signature
        """A body that its own header does not describe."""
        self._refuse(message, "a body that cannot be decoded")

    def on_unknown_message(self, body: Any, message: Message) -> None:  # noqa: ARG002 - Celery's signature
        """No task at all."""
        self._refuse(message, "not a task")

    def on_unknown_task(self, body: Any, message: Message, exc: BaseException) -> None:  # noqa: ARG002 - Celery's signature
        """A task that actors do not have."""
        self._refuse(message, "another task")

    def on_invalid_task(self, body: Any, message: Message, exc: BaseException) -> None:  # noqa: ARG002 - Celery's signature
        """A task in another serialisation than ours, or without what a task must have."""
        self._refuse(message, "a task that is not serialised as ours are")

    def _refuse(self, message: Message, kind: str) -> None:
        self.garbage.refuse(kind)
        if not message.acknowledged:
            message.reject()


def consumer_of(link: Link, garbage: Garbage) -> type[BatchConsumer]:
    """Return a consumer class for Celery to make the consumer of."""
    return type("Consumer", (BatchConsumer,), {"link": link, "garbage": garbage})
