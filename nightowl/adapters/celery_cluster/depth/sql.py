"""Depth of queues in a database, as kombu's SQLAlchemy transport keeps them: rows, visible until they are taken.

A row that was taken stays, invisible, whether its task has ended or not: what workers hold cannot be told.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    func,
    inspect,
    select,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from nightowl.adapters.celery_cluster.control.broker import CONNECT_TIMEOUT
from nightowl.adapters.celery_cluster.control.broker import Broker as Place
from nightowl.core.cluster.state import Broker, Queue


class SqlDepth:
    """See ``ports.clusters.ClusterDepth``. The tables' names are those of kombu's options."""

    def __init__(self, place: Place) -> None:
        self._place = place
        url = place.url.split("+", 1)[1]
        arguments = {} if url.startswith("sqlite") else {"connect_timeout": int(CONNECT_TIMEOUT)}
        self._engine: Engine = create_engine(url, poolclass=NullPool, connect_args=arguments)
        tables = MetaData()
        self._queues = Table(
            str(place.options.get("queue_tablename", "kombu_queue")),
            tables,
            Column("id", Integer, primary_key=True),
            Column("name", String),
        )
        self._messages = Table(
            str(place.options.get("message_tablename", "kombu_message")),
            tables,
            Column("id", Integer, primary_key=True),
            Column("visible", Boolean),
            Column("timestamp", DateTime),
            Column("queue_id", Integer),
        )

    def queues(self, names: Collection[str]) -> list[Queue]:
        """How full these queues are; one that does not exist is empty."""
        queue, message = self._queues.c, self._messages.c
        waiting = (
            select(queue.name, func.count(), func.min(message.timestamp))
            .join(self._messages, message.queue_id == queue.id)
            .where(queue.name.in_(list(names)), message.visible.is_(True))
            .group_by(queue.name)
        )
        try:
            with self._engine.connect() as connection:
                there = inspect(connection).has_table(self._messages.name)
                found = {name: (count, since) for name, count, since in connection.execute(waiting)} if there else {}
        except SQLAlchemyError as error:
            raise self._place.unavailable(getattr(error, "orig", None) or error) from None
        return [_queue(name, *found.get(name, (0, None))) for name in names]

    def broker(self) -> Broker:
        """Which database it is."""
        try:
            with self._engine.connect() as connection:
                version = ".".join(map(str, connection.dialect.server_version_info or ()))
        except SQLAlchemyError as error:
            raise self._place.unavailable(getattr(error, "orig", None) or error) from None
        return Broker(kind=self._place.kind, url=self._place.shown, version=version)

    def close(self) -> None:
        """No connection is kept."""
        self._engine.dispose()


def _queue(name: str, ready: int, since: Any) -> Queue:
    """``since`` is by the sender's local time, which is taken for ours."""
    age = time.time() - since.timestamp() if since is not None else 0.0
    return Queue(name=name, ready=ready, age=age if age >= 0 else None)
