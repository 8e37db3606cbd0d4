"""kombu's SQLAlchemy transport, made fit for several consumers that share a queue for years.

kombu's own keeps each consumed row for ever, makes consumers wait for one another's row locks, and looks for work once
a second. Here a row is deleted as it is taken, rows that another consumer has locked are skipped (MariaDB 10.6,
MySQL 8 and PostgreSQL know how), and an empty queue is looked at ten times a second.
"""

from __future__ import annotations

from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, sqlalchemy
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads
from sqlalchemy import text

SCHEME = "nightowlsql"

POLLING_INTERVAL = 0.1
"""Seconds between looks at an empty queue; each is a transaction."""


class Channel(sqlalchemy.Channel):
    """A channel that deletes what it takes."""

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ARG002 - kombu's signature
        queue_id = self._get_or_create(queue).id
        try:
            payload = self._take(queue_id)
            self.session.commit()
        except BaseException:
            self.session.rollback()
            raise
        if payload is None:
            raise Empty
        return loads(bytes_to_str(payload))

    def _take(self, queue_id: int) -> str | None:
        """Delete the oldest message that nobody else is taking, and return it."""
        session, message = self.session, self.message_cls
        if session.bind.name == "sqlite":
            session.execute(text("BEGIN IMMEDIATE TRANSACTION"))
        free = session.query(message).filter(message.queue_id == queue_id).with_for_update(skip_locked=True)
        taken = free.order_by(message.id).first()
        if taken is None:
            return None
        payload: str = taken.payload
        session.delete(taken)
        return payload

    def _engine_from_config(self) -> Any:
        engine = super()._engine_from_config()
        if engine.name != "sqlite":
            return engine.execution_options(isolation_level="READ COMMITTED")
        return engine


class Transport(sqlalchemy.Transport):
    """kombu's transport with that channel."""

    Channel = Channel
    polling_interval = POLLING_INTERVAL


TRANSPORT_ALIASES[SCHEME] = f"{__name__}:{Transport.__name__}"
