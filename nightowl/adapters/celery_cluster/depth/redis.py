r"""Depth of queues in Redis, as kombu keeps them there.

A queue is a list for each step of priority (``celery``, ``celery\x06\x163``, ...), each consumed from its tail; an
empty list does not exist. What a worker holds lies in one hash for all queues of the database, with the message, its
exchange and its routing key; so do tasks with an ETA, until they are due.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import redis
from kombu import Connection

from nightowl.adapters.celery_cluster.control.broker import Broker as Place
from nightowl.core.cluster.state import Broker, Queue

MOST_HELD = 5000
"""Messages with workers that are looked at; where there are more, counts are estimated from these."""

MOST_BYTES = 16 * 1024 * 1024
"""Bytes of such messages that are looked at."""

_PORTION = 250
_MILLISECONDS = 1e11
"""A time stamp above this is one in milliseconds."""

_FULL = 0.9
"""The part of its memory from which on Redis is said to be nearly full."""


class _Headers(msgspec.Struct):
    eta: Any = None
    timestamp: Any = None


class _Properties(msgspec.Struct):
    timestamp: Any = None


class _Message(msgspec.Struct):
    headers: _Headers = msgspec.field(default_factory=_Headers)
    properties: _Properties = msgspec.field(default_factory=_Properties)


_MESSAGE = msgspec.json.Decoder(_Message)
_HELD = msgspec.json.Decoder(tuple[_Message, str, str])


class _Held(msgspec.Struct):
    """What workers hold: how much in all, how much of it was looked at, and that by queue."""

    total: int = 0
    seen: int = 0
    unacked: Counter[str] = msgspec.field(default_factory=Counter)
    scheduled: Counter[str] = msgspec.field(default_factory=Counter)

    def scaled(self, count: int) -> int:
        """A count of all, from one of those that were looked at."""
        return count if self.seen >= self.total else round(count * self.total / max(self.seen, 1))


class RedisDepth:
    """See ``ports.clusters.ClusterDepth``. Priorities, prefixes, TLS and Sentinel are those of kombu's options."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._connection: Connection | None = None

    def queues(self, names: Collection[str]) -> list[Queue]:
        """How full these queues are; one that does not exist is empty."""
        try:
            channel = self._channel()
            client = redis.Redis(connection_pool=channel.pool)
            lengths = _lengths(client, channel, names)
            oldest = _oldest(client, channel, [name for name in names if lengths[name]])
            held = _held(client, channel, time.time())
        except (redis.RedisError, OSError, ValueError) as error:
            self.close()
            raise self._place.unavailable(error) from None
        return [
            Queue(
                name=name,
                ready=lengths[name],
                unacked=held.scaled(held.unacked[name]),
                scheduled=held.scaled(held.scheduled[name]),
                age=oldest.get(name, None if lengths[name] else 0.0),
            )
            for name in names
        ]

    def broker(self) -> Broker:
        """How Redis is. What it does not let us ask is None."""
        try:
            client = redis.Redis(connection_pool=self._channel().pool)
            info = client.info()
            buffered = _buffered(client)
        except (redis.RedisError, OSError, ValueError) as error:
            self.close()
            raise self._place.unavailable(error) from None
        return Broker(
            kind=self._place.kind,
            url=self._place.shown,
            version=str(info.get("redis_version", "")),
            memory=info.get("used_memory"),
            memory_limit=info.get("maxmemory") or None,
            clients=info.get("connected_clients"),
            pubsub_buffer=buffered,
            alarms=tuple(_alarms(info)),
        )

    def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(redis.RedisError, OSError):
                connection.close()

    def _channel(self) -> Any:
        if self._connection is None:
            self._connection = self._place.connected()
        return self._connection.default_channel


def _keys(channel: Any, name: str) -> list[str]:
    """The lists of a queue, one for each step of priority."""
    return [channel.global_keyprefix + channel._q_for_pri(name, step) for step in channel.priority_steps]  # noqa: SLF001


def _lengths(client: Any, channel: Any, names: Collection[str]) -> dict[str, int]:
    with client.pipeline(transaction=False) as pipe:
        for name in names:
            for key in _keys(channel, name):
                pipe.llen(key)
        found = pipe.execute(raise_on_error=False)
    steps = len(channel.priority_steps)
    whole = [size if isinstance(size, int) else 0 for size in found]  # a key of that name that is no list
    return {name: sum(whole[at * steps : (at + 1) * steps]) for at, name in enumerate(names)}


def _oldest(client: Any, channel: Any, names: Sequence[str]) -> dict[str, float | None]:
    """Ages of the messages that are consumed next, where their senders stamp them."""
    with client.pipeline(transaction=False) as pipe:
        for name in names:
            for key in _keys(channel, name):
                pipe.lindex(key, -1)
        found = pipe.execute(raise_on_error=False)
    steps, now = len(channel.priority_steps), time.time()
    ages = [_age(data, now) if isinstance(data, bytes) else None for data in found]
    parts = {name: ages[at * steps : (at + 1) * steps] for at, name in enumerate(names)}
    return {name: max((age for age in part if age is not None), default=None) for name, part in parts.items()}


def _age(data: bytes, now: float) -> float | None:
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        message = _MESSAGE.decode(data)
        for stamp in (message.properties.timestamp, message.headers.timestamp):
            if isinstance(stamp, (int, float)) and not isinstance(stamp, bool) and stamp > 0:
                return max(0.0, now - (stamp / 1000 if stamp > _MILLISECONDS else stamp))
    return None


def _held(client: Any, channel: Any, now: float) -> _Held:
    """Sort what workers hold by queue, and by whether it is due at ``now``."""
    key = channel.global_keyprefix + channel.unacked_key
    held = _Held(total=client.hlen(key))
    ways: dict[tuple[str, str], str] = {}
    for data in _scanned(client, key) if held.total else ():
        held.seen += 1
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            message, exchange, routing_key = _HELD.decode(data)
            if (exchange, routing_key) not in ways:
                ways[exchange, routing_key] = _queue(client, channel, exchange, routing_key)
            queue = ways[exchange, routing_key]
            held.unacked[queue] += 1
            held.scheduled[queue] += _is_later(message.headers.eta, now)
    return held


def _scanned(client: Any, key: str) -> Iterator[bytes]:
    cursor, count, size = 0, 0, 0
    while count < MOST_HELD and size < MOST_BYTES:
        cursor, found = client.hscan(key, cursor, count=_PORTION)
        yield from found.values()
        count += len(found)
        size += sum(map(len, found.values()))
        if cursor == 0:
            return


def _queue(client: Any, channel: Any, exchange: str, routing_key: str) -> str:
    """The queue that an exchange leads to by this key; by default the one of its name."""
    if exchange and exchange != routing_key:
        bound = client.smembers(f"{channel.global_keyprefix}_kombu.binding.{exchange}")
        for member in sorted(bound)[:1000]:
            key, _, name = member.decode(errors="replace").partition(channel.sep)
            if key == routing_key:
                return str(name.rpartition(channel.sep)[2])
    return routing_key


def _is_later(eta: Any, now: float) -> bool:
    if not isinstance(eta, str):
        return False
    try:
        moment = datetime.fromisoformat(eta)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() > now
    except (ValueError, OverflowError):
        return False


def _buffered(client: Any) -> int | None:
    """Bytes that wait for those who follow events and commands: what grows when one of them is too slow."""
    try:
        return sum(int(each.get("omem", 0)) for each in client.client_list(_type="pubsub"))
    except (redis.ResponseError, ValueError):
        return None


def _alarms(info: dict[str, Any]) -> Iterator[str]:
    used, limit = info.get("used_memory", 0), info.get("maxmemory", 0)
    if limit and used >= _FULL * limit:
        yield f"{used / limit:.0%} of its memory is used"
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if limit and policy != "noeviction":
        yield f"it drops keys when its memory is full ({policy}), and a queue is a key"
    if info.get("rdb_last_bgsave_status") == "err" or info.get("aof_last_write_status") == "err":
        yield "it cannot write to its disk"
    if info.get("role") == "slave":
        yield "it is a replica: nothing can be consumed from it"
