"""Names of queues by the exchange and routing key of messages."""

from __future__ import annotations

from typing import Any

from nightowl_instrument.stages import OTHER

MOST = 1_000


class QueueNames:
    """Finds the queue of a message. ``app`` is the Celery app (None: whichever is current)."""

    def __init__(self, app: Any = None) -> None:
        self._app = app
        self._found: dict[tuple[str, str], str] = {}

    def __call__(self, exchange: str, routing_key: str) -> str:
        """Return the queue that an exchange's messages with a routing key go to, as far as the app knows it."""
        key = (exchange, routing_key)
        found = self._found.get(key)
        if found is None:
            found = self._name(exchange, routing_key)
            if len(self._found) < MOST:
                self._found[key] = found
        return found

    def _name(self, exchange: str, routing_key: str) -> str:
        queues = self._queues()
        for name, queue in queues.items():
            if exchange and queue.exchange and queue.exchange.name == exchange and queue.routing_key == routing_key:
                return str(name)
        if routing_key in queues or not exchange:
            return routing_key or OTHER  # the exchange without a name takes a queue's own name for the key
        return next(iter(queues)) if len(queues) == 1 else OTHER

    def _queues(self) -> dict[str, Any]:
        from celery import current_app  # noqa: PLC0415 - at import time it would be the default app

        return dict((self._app or current_app).amqp.queues)
