"""Depth of queues in RabbitMQ: ready messages and consumers by a passive declaration; the rest by its management API.

Quorum queues are declared passively like any. Celery's native delayed delivery keeps tasks that are not due in queues
of its own (``celery_delayed_0`` to ``celery_delayed_27``), where they count for no other queue.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import amqp
from kombu import Connection
from kombu.exceptions import KombuError

from nightowl.adapters.celery_cluster.control.broker import Broker as Place
from nightowl.adapters.celery_cluster.control.lines import NOT_FOUND
from nightowl.adapters.celery_cluster.depth.management import Management
from nightowl.core.cluster.state import Broker, Queue
from nightowl.core.errors import Unavailable

_FAULTS = (amqp.AMQPError, KombuError, OSError)
_COLUMNS = (
    "name,messages_ready,messages_unacknowledged,consumers,head_message_timestamp,"
    "message_stats.publish_details.rate,message_stats.deliver_get_details.rate"
)


class RabbitDepth:
    """See ``ports.clusters.ClusterDepth``. ``api`` is the management API's URL (empty: there is none)."""

    def __init__(self, place: Place, api: str) -> None:
        self._place = place
        self._management = Management(api, place.url) if api else None
        self._connection: Connection | None = None
        self._channel: Any = None
        self._host = unquote(urlsplit(place.url.split(";")[0]).path[1:]) or "/"

    def queues(self, names: Collection[str]) -> list[Queue]:
        """How full these queues are; one that does not exist is empty. Without its API what workers hold is None."""
        try:
            declared = [self._declared(name) for name in names]
        except _FAULTS as error:
            self.close()
            raise self._place.unavailable(error) from None
        if self._management is None:
            return declared
        told = self._told()
        return [_merged(queue, told.get(queue.name, {}), time.time()) for queue in declared]

    def broker(self) -> Broker:
        """How RabbitMQ is; of it without its API, the version only."""
        try:
            properties = self._connected().connection.server_properties
        except _FAULTS as error:
            self.close()
            raise self._place.unavailable(error) from None
        version = str(properties.get("version", ""))
        if self._management is None:
            return Broker(kind=self._place.kind, url=self._place.shown, version=version)
        nodes = [node for node in self._management.get("nodes") if isinstance(node, dict)]
        overview = self._management.get("overview")
        totals = overview.get("object_totals", {}) if isinstance(overview, dict) else {}
        return Broker(
            kind=self._place.kind,
            url=self._place.shown,
            version=version,
            memory=sum(_whole(node.get("mem_used")) or 0 for node in nodes),
            memory_limit=sum(_whole(node.get("mem_limit")) or 0 for node in nodes) or None,
            clients=_whole(totals.get("connections")),
            alarms=tuple(_alarms(nodes)),
        )

    def close(self) -> None:
        """Give the connection back."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            with suppress(*_FAULTS, AttributeError):
                connection.close()

    def _connected(self) -> Any:
        if self._connection is None:
            self._connection = self._place.connected()
        return self._connection

    def _declared(self, name: str) -> Queue:
        """What a passive declaration tells; RabbitMQ closes a channel that asks for a queue which is not there."""
        if self._channel is None:
            self._channel = self._connected().channel()
        try:
            found = self._channel.queue_declare(queue=name, passive=True)
        except amqp.ChannelError as error:
            self._channel = None
            if error.reply_code == NOT_FOUND:
                return Queue(name=name, ready=0, consumers=0)
            if isinstance(error, amqp.ResourceLocked):  # the exclusive queue of another connection
                return Queue(name=name)
            raise
        return Queue(name=name, ready=found.message_count, consumers=found.consumer_count)

    def _told(self) -> dict[str, dict[str, Any]]:
        assert self._management is not None
        listed = self._management.get(f"queues/{quote(self._host, safe='')}?disable_stats=false&columns={_COLUMNS}")
        if not isinstance(listed, list):
            raise Unavailable("the management API of RabbitMQ answers with something else than queues")
        return {str(each.get("name")): each for each in listed if isinstance(each, dict)}


def _merged(queue: Queue, told: dict[str, Any], now: float) -> Queue:
    """The queue with what the API tells besides; its own counts are some seconds old, so those declared stay."""
    stats = told.get("message_stats")
    rates = stats if isinstance(stats, dict) else {}
    head = _number(told.get("head_message_timestamp"))
    age = max(0.0, now - head) if head and queue.ready else None
    return Queue(
        name=queue.name,
        ready=queue.ready,
        consumers=queue.consumers,
        unacked=_whole(told.get("messages_unacknowledged")) or 0,
        age=age if queue.ready else 0.0,
        rate_in=_rate(rates.get("publish_details")),
        rate_out=_rate(rates.get("deliver_get_details")),
    )


def _rate(details: Any) -> float | None:
    return _number(details.get("rate")) if isinstance(details, dict) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _alarms(nodes: list[dict[str, Any]]) -> Iterator[str]:
    for node in nodes:
        name = node.get("name", "a node")
        if node.get("mem_alarm"):
            yield f"{name} is out of memory: nothing can be published"
        if node.get("disk_free_alarm"):
            yield f"{name} is out of disk space: nothing can be published"
        if node.get("running") is False:
            yield f"{name} does not run"
        if node.get("partitions"):
            yield f"{name} cannot see {', '.join(map(str, node['partitions']))}"
