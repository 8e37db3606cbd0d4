"""``/api/queues/length``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightowl.core.cluster.state import ClusterState
from nightowl.web.flower.answers import Failure
from nightowl.web.flower.face import Asked

SUPPORTED = frozenset({"amqp", "amqps", "pyamqp", "redis", "rediss", "redis+socket", "sentinel"})
"""Brokers whose queues Flower measures."""


def lengths(asked: Asked) -> Mapping[str, Any]:
    """How many messages wait in each queue that is consumed, or of the default one where none is known to be.

    Of RabbitMQ it is what its management API says of them, whole, where that can be asked.
    """
    state = asked.state()
    names = _names(asked, state)
    described = asked.remote.queue_objects() if _scheme(asked) in ("amqp", "amqps", "pyamqp") else None
    if described is not None:
        return {"active_queues": [queue for queue in described if queue.get("name") in names]}
    ready = {queue.name: queue.ready for queue in (state.queues if state else ())}
    if _scheme(asked) not in SUPPORTED and not any(ready.get(name) is not None for name in names):
        raise Failure(404, f"'{_scheme(asked)}' broker is not supported")
    return {"active_queues": [{"name": name, "messages": ready.get(name) or 0} for name in names]}


def _names(asked: Asked, state: ClusterState | None) -> list[str]:
    consumed = {queue for worker in (state.workers if state else ()) if worker.up for queue in worker.queues}
    return sorted(consumed or {asked.cluster.default_queue, *asked.cluster.queues})


def _scheme(asked: Asked) -> str:
    return asked.cluster.broker.partition(":")[0]
