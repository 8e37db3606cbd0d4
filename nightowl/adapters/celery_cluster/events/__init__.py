"""The intake of a watched cluster's events, as directly as its broker allows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from nightowl.adapters.celery_cluster.events.channels import EXCHANGE
from nightowl.adapters.celery_cluster.events.decode import Sieve
from nightowl.adapters.celery_cluster.events.reconnecting import ReconnectingSource
from nightowl.adapters.celery_cluster.events.stream import Stream
from nightowl.adapters.celery_cluster.fault import sentence
from nightowl.adapters.celery_cluster.place import places
from nightowl.adapters.celery_cluster.tls import Told
from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.ports.clock import Clock
from nightowl.ports.clusters import ClusterSource

_REDIS = ("redis", "rediss", "redis+socket", "sentinel")
_RABBITMQ = ("amqp", "amqps", "pyamqp")


def source(
    broker_url: str,
    *,
    clock: Clock,
    transport_options: Mapping[str, Any] | None = None,
    ssl: Told = None,
    accept_content: Collection[str] = ("json",),
    exchange: str = EXCHANGE,
    queue_prefix: str = EXCHANGE,
) -> ClusterSource:
    """Return the events of the cluster on a broker; it connects at the first read.

    ``broker_url`` and ``transport_options`` are Celery's, ``ssl`` is what ``tls`` understands. Of ``accept_content``
    json, yaml and msgpack are read; json always is, pickle never. ``exchange`` and ``queue_prefix`` are Celery's
    ``event_exchange`` and ``event_queue_prefix``.

    Raises ``ConfigurationError`` for a URL that cannot be read.
    """
    try:
        found = places(broker_url)
    except ValueError:
        found = []
    if not found:
        mistake = Mistake(
            file="", key="broker", found="a URL that cannot be read", allowed="a broker's URL, as Celery's"
        )
        raise ConfigurationError([mistake])
    options = transport_options or {}
    connect: Callable[[], Stream]
    if found[0].scheme in _REDIS:
        from nightowl.adapters.celery_cluster.events import redis  # noqa: PLC0415 - only what is used is imported

        connect = redis.connector(found, options, ssl, clock, exchange)
    elif found[0].scheme in _RABBITMQ:
        from nightowl.adapters.celery_cluster.events import rabbitmq  # noqa: PLC0415

        connect = rabbitmq.connector(found, options, ssl, clock, exchange, queue_prefix)
    else:
        from nightowl.adapters.celery_cluster.events import kombu  # noqa: PLC0415

        connect = kombu.connector(broker_url, options, ssl, clock, exchange, queue_prefix)
    return ReconnectingSource(connect, Sieve(accept_content), clock, partial(sentence, found))
