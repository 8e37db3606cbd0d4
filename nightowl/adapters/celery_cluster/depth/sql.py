"""Depth of queues in a database, as kombu's SQLAlchemy transport keeps them: rows, visible until they are taken.

A row that was taken stays, invisible, whether its task has ended or not: what workers hold cannot be told. Nor can the
age of a message: kombu stamps a row when it is taken.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import (
    Boolean,
    Column,
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
            Column("queue_id", Integer),
        )

    def queues(self, names: Collection[str]) -> list[Queue]:
        """How full these queues are; one that does not exist is empty."""
        queue, message = self._queues.c, self._messages.c
        waiting = (
            select(queue.name, func.count())
            .join(self._messages, message.queue_id == queue.id)
            .where(queue.name.in_(list(names)), message.visible.is_(True))
            .group_by(queue.name)
        )
        try:
            with self._engine.connect() as connection:
                there = inspect(connection).has_table(self._messages.name)
                found: dict[str, int] = dict(connection.execute(waiting).all()) if there else {}
        except SQLAlchemyError as error:
            raise self._place.unavailable(getattr(error, "orig", None) or error) from None
        return [_queue(name, found.get(name, 0)) for name in names]

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


def _queue(name: str, ready: int) -> Queue:
    return Queue(name=name, ready=ready, age=None if ready else 0.0)
