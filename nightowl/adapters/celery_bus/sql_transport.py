"""A broker in a database (MariaDB, MySQL, PostgreSQL, SQLite), as a transport of kombu.

kombu's own SQLAlchemy transport keeps each consumed row for ever, loses what a dead consumer had taken, makes
consumers wait for one another's locks, cuts bodies off at 64 KiB and looks for work once a second. Here a message is a
row of one table. Taking it marks it; acknowledging deletes it; a mark older than ``RETURN`` seconds by the database's
clock is taken away, so that what a dead consumer held goes to another. An empty queue costs one short statement ten
times a second.
"""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from queue import Empty
from time import monotonic
from typing import Any

from kombu.transport import sqlalchemy, virtual
from kombu.utils.json import dumps, loads
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Engine,
    Index,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Text,
    create_engine,
    delete,
    func,
    insert,
    inspect,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.mysql import MEDIUMTEXT
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from nightowl.adapters.celery_bus.schemes import RETURN

POLLING_INTERVAL = 0.1
"""Seconds between looks at empty queues."""

HANDFUL = 50
"""Messages taken by one look at most."""

MESSAGES = Table(
    "nightowl_message",
    MetaData(),
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("queue", String(191), nullable=False),
    Column("taken", DateTime),
    Column("taker", String(32)),
    Column("payload", Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb"), nullable=False),
    Index("nightowl_message_queue", "queue", "id"),
)

_NOW = {"postgresql": "timezone('utc', now())", "sqlite": "CURRENT_TIMESTAMP"}
"""The database's own clock in UTC, by dialect; the others say ``utc_timestamp()``."""


class QoS(virtual.QoS):
    """Tells the channel what is settled; it may be called from any thread, so the channel writes it down later."""

    def ack(self, delivery_tag: str) -> None:
        """Let the message be deleted."""
        super().ack(delivery_tag)
        self.channel.settle(delivery_tag, again=False)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Let the message be deleted, or taken again."""
        super().ack(delivery_tag)
        self.channel.settle(delivery_tag, again=requeue)


class Channel(virtual.Channel):
    """A connection to the database, used by one thread at a time."""

    QoS = QoS
    do_restore = False  # the rows are still there

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        self._database: Connection = _engine(connection.client).connect()
        self._now = literal_column(_NOW.get(self._database.dialect.name, "utc_timestamp()"), DateTime)
        self._rows: dict[str, int] = {}
        self._arrived: deque[tuple[str, dict[str, Any]]] = deque()
        self._acknowledged: deque[int] = deque()
        self._refused: deque[int] = deque()
        self._returned = monotonic()

    def settle(self, delivery_tag: str, *, again: bool) -> None:
        """Note that a message is acknowledged, or (``again``) to be delivered once more."""
        row = self._rows.pop(delivery_tag, None)
        if row is not None:
            (self._refused if again else self._acknowledged).append(row)

    def close(self) -> None:
        """Write down what is settled and give back what is not."""
        if not self.closed:
            self._refused.extend(self._rows.values())
            self._rows.clear()
            self._arrived.clear()
            with suppress(SQLAlchemyError):
                self._write_settled()
            self._database.close()
        super().close()

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:
        self._database.execute(insert(MESSAGES).values(queue=queue, payload=dumps(message)))

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:  # noqa: ARG002 - kombu's signature
        self._take([queue], 1)
        return self._arrived.popleft()[1]

    def _poll(self, cycle: Any, callback: Callable[..., None], timeout: float | None = None) -> None:  # noqa: ARG002 - kombu's
        """Deliver the next message of any queue consumed here; raises ``Empty``."""
        if not self._arrived:
            self._write_settled()
            self._give_back_forgotten()
            self._take(self._active_queues, min(HANDFUL, self.qos.can_consume_max_estimate() or HANDFUL))
        queue, message = self._arrived.popleft()
        callback(message, queue)

    def _take(self, queues: list[str], most: int) -> None:
        """Mark the oldest free messages as taken; of those that others want too each goes to one. Raises ``Empty``."""
        columns = MESSAGES.c
        wanted = self._database.scalars(_free(tuple(queues), most)).all()
        if not wanted:
            raise Empty
        mark = uuid.uuid4().hex
        self._database.execute(
            update(MESSAGES).where(columns.id.in_(wanted), columns.taken.is_(None)).values(taken=self._now, taker=mark)
        )
        ours = select(columns.id, columns.queue, columns.payload).where(columns.id.in_(wanted), columns.taker == mark)
        for row, queue, payload in self._database.execute(ours.order_by(columns.id)).all():
            self._arrive(row, queue, payload)
        if not self._arrived:
            raise Empty

    def _arrive(self, row: int, queue: str, payload: str) -> None:
        try:
            message = loads(payload)
            message["properties"]["delivery_tag"] = tag = str(row)  # one of the sender's may be another row's as well
        except (ValueError, TypeError, LookupError, RecursionError):
            self._acknowledged.append(row)  # no message of kombu: nobody could ever read it
            return
        self._rows[tag] = row
        self._arrived.append((queue, message))

    def _write_settled(self) -> None:
        columns = MESSAGES.c
        if done := _drained(self._acknowledged):
            self._database.execute(delete(MESSAGES).where(columns.id.in_(done)))
        if again := _drained(self._refused):
            self._database.execute(update(MESSAGES).where(columns.id.in_(again)).values(taken=None))

    def _give_back_forgotten(self) -> None:
        if monotonic() - self._returned < RETURN / 4:
            return
        self._returned = monotonic()
        columns = MESSAGES.c
        now = self._database.execute(select(self._now)).scalar_one()
        forgotten = columns.taken < now - timedelta(seconds=RETURN)
        self._database.execute(
            update(MESSAGES).where(columns.queue.in_(self._active_queues), forgotten).values(taken=None)
        )

    def _size(self, queue: str) -> int:
        waiting = select(func.count()).where(MESSAGES.c.queue == queue, MESSAGES.c.taken.is_(None))
        return int(self._database.scalar(waiting) or 0)

    def _purge(self, queue: str) -> int:
        waiting = self._size(queue)
        self._database.execute(delete(MESSAGES).where(MESSAGES.c.queue == queue))
        return waiting


class Transport(sqlalchemy.Transport):
    """kombu's transport with that channel. Its errors are told apart no further: after any of them, connect again."""

    Channel = Channel
    polling_interval = POLLING_INTERVAL
    connection_errors = (SQLAlchemyError,)


@lru_cache
def _free(queues: tuple[str, ...], most: int) -> Select[tuple[int]]:
    """Return the statement by which queues are looked at; building it anew would cost twice what it does."""
    columns = MESSAGES.c
    free = select(columns.id).where(columns.queue.in_(queues), columns.taken.is_(None))
    return free.order_by(columns.id).limit(most)


def _drained(rows: deque[int]) -> list[int]:
    """Take what is there now; other threads may be adding to it."""
    return [rows.popleft() for _ in range(len(rows))]


_engines: dict[str, Engine] = {}
_opening = threading.Lock()


def _engine(client: Any) -> Engine:
    """Return the engine of a kombu connection's URL, its table made; raises SQLAlchemy's errors."""
    url = client.hostname
    with _opening:
        if url not in _engines:
            engine = create_engine(
                url,
                isolation_level="AUTOCOMMIT",
                hide_parameters=True,
                pool_pre_ping=True,
                connect_args=client.transport_options.get("connect_args", {}),
            )
            _make_table(engine)
            _engines[url] = engine
        return _engines[url]


def _make_table(engine: Engine) -> None:
    try:
        MESSAGES.create(engine, checkfirst=True)
    except DBAPIError:
        if not inspect(engine).has_table(MESSAGES.name):  # else another process was quicker
            raise
