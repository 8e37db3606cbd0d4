"""The yardstick: everything that a broker delivers on Celery's event exchange, as it came."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

from celery.events.receiver import EventReceiver

from tests.celery_fleet.app import Place, make_app

Event = dict[str, Any]
Message = dict[str, Any]
"""``at`` (when it was taken, Unix seconds), ``routing_key``, ``headers``, and ``body``: an event or a list of them."""


class _Receiver(EventReceiver):
    """Celery's own receiver, with its queue; but bodies are kept as they are."""

    def __init__(self, *args: Any, keep: Callable[[Message], None], ready: threading.Event, **options: Any) -> None:
        super().__init__(*args, **options)
        self._keep = keep
        self._ready = ready

    def on_consume_ready(self, *_: Any, **__: Any) -> None:
        self._ready.set()

    def _receive(self, body: Any, message: Any, *_: Any) -> None:
        key = message.delivery_info.get("routing_key")
        self._keep({"at": time.time(), "routing_key": key, "headers": message.headers, "body": body})


class Capture:
    """Takes every event in a thread of its own while it is entered; ``messages`` grows meanwhile."""

    def __init__(self, place: Place) -> None:
        self.messages: list[Message] = []
        self._app = make_app(place)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._receiver: _Receiver | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(30), "the broker gives no events"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._receiver is not None
        self._receiver.should_stop = True
        self._thread.join(30)
        self._app.close()

    @property
    def events(self) -> list[Event]:
        """What has come so far, one by one, in the order in which it came."""
        return list(flat(self.messages[:]))

    def wait(self, condition: Callable[[list[Event]], bool], *, seconds: float = 60.0, what: object = "") -> None:
        """Wait until the events fulfil a condition. Raises ``AssertionError`` with ``what``, called where it can be."""
        end, looked_at = time.monotonic() + seconds, -1
        while True:
            if looked_at != len(self.messages):
                looked_at = len(self.messages)
                if condition(self.events):
                    return
            assert time.monotonic() < end, what() if callable(what) else what
            time.sleep(0.02)

    def _run(self) -> None:
        with self._app.connection_for_read() as connection:
            self._receiver = _Receiver(connection, app=self._app, keep=self.messages.append, ready=self._ready)
            for _ in self._receiver.consume(limit=None, timeout=None, safety_interval=0.1, wakeup=False):
                pass


def flat(messages: Iterable[Message]) -> Iterator[Event]:
    """The events of messages."""
    for message in messages:
        body = message["body"]
        yield from body if isinstance(body, list) else [body]
