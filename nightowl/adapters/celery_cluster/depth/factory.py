"""Which depth belongs to which broker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightowl.adapters.celery_cluster.control.broker import Broker, Tls
from nightowl.core.errors import Unavailable
from nightowl.ports.clusters import ClusterDepth


def depth(
    broker_url: str,
    *,
    transport_options: Mapping[str, Any] | None = None,
    ssl: Tls = None,
    rabbitmq_api: str = "",
) -> ClusterDepth:
    """Return the depth of the cluster at a broker's URL; nothing is connected to yet.

    Raises ``Unavailable`` for a broker of which no depth can be read. Drivers are imported only where they are needed.
    """
    place = Broker(broker_url, transport_options, ssl)
    match place.scheme.split("+")[0]:
        case "redis" | "rediss" | "sentinel" | "socket":
            from nightowl.adapters.celery_cluster.depth.redis import RedisDepth  # noqa: PLC0415

            return RedisDepth(place)
        case "amqp" | "amqps" | "pyamqp":
            from nightowl.adapters.celery_cluster.depth.rabbitmq import RabbitDepth  # noqa: PLC0415

            return RabbitDepth(place, rabbitmq_api)
        case "sqla" | "sqlalchemy":
            from nightowl.adapters.celery_cluster.depth.sql import SqlDepth  # noqa: PLC0415

            return SqlDepth(place)
        case "sqs":
            from nightowl.adapters.celery_cluster.depth.sqs import SqsDepth  # noqa: PLC0415

            return SqsDepth(place)
        case "filesystem":
            from nightowl.adapters.celery_cluster.depth.filesystem import FolderDepth  # noqa: PLC0415

            return FolderDepth(place)
        case "memory":
            from nightowl.adapters.celery_cluster.depth.memory import MemoryDepth  # noqa: PLC0415

            return MemoryDepth()
    raise Unavailable(f"how full queues are cannot be read from {place.kind} as the broker")
