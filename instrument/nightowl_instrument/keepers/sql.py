"""Locks and texts in a database, by SQLAlchemy where that is installed: two small tables that are made when needed.

A lock's time is that of the clients' clocks: keep them in step, and locks longer than they may differ.
"""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

_METADATA = sa.MetaData()
_LOCKS = sa.Table(
    "nightowl_locks",
    _METADATA,
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("token", sa.String(64), nullable=False),
    sa.Column("until", sa.Float(53), nullable=False),
)
_TEXTS = sa.Table(
    "nightowl_checkpoints",
    _METADATA,
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
)


class SqlKeeper:
    """See ``Keeper``."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
        self._made = False

    def acquire(self, name: str, token: str, lasts: float) -> bool:
        """Take a lock for ``lasts`` seconds, if nobody has it."""
        now = time.time()
        free = sa.or_(_LOCKS.c.until <= now, _LOCKS.c.token == token)
        taken = sa.update(_LOCKS).where(_LOCKS.c.name == name, free).values(token=token, until=now + lasts)
        return self._changed(taken) or self._inserted(_LOCKS, name=name, token=token, until=now + lasts)

    def release(self, name: str, token: str) -> None:
        """Give a lock back, if ``token`` still has it."""
        self._changed(sa.delete(_LOCKS).where(_LOCKS.c.name == name, _LOCKS.c.token == token))

    def save(self, name: str, text: str) -> None:
        """Keep a text under a name."""
        replaced = sa.update(_TEXTS).where(_TEXTS.c.name == name).values(body=text)
        if not self._changed(replaced) and not self._inserted(_TEXTS, name=name, body=text):
            self._changed(replaced)

    def load(self, name: str) -> str | None:
        """Return what is kept under a name."""
        self._make()
        with self._engine.begin() as connection:
            found = connection.execute(sa.select(_TEXTS.c.body).where(_TEXTS.c.name == name)).scalar_one_or_none()
        return None if found is None else str(found)

    def forget(self, name: str) -> None:
        """Keep nothing under a name any more."""
        self._changed(sa.delete(_TEXTS).where(_TEXTS.c.name == name))

    def _changed(self, statement: Any) -> bool:
        """Whether a statement changed a row; MariaDB counts none where the values are what they were."""
        self._make()
        with self._engine.begin() as connection:
            return bool(connection.execute(statement).rowcount)

    def _inserted(self, table: sa.Table, **row: Any) -> bool:
        """Whether the row is there now by this; False: somebody else was first."""
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(table).values(**row))
        except sa.exc.IntegrityError:
            return False
        return True

    def _make(self) -> None:
        if not self._made:
            try:
                _METADATA.create_all(self._engine)
            except sa.exc.DBAPIError:  # another process makes them at this moment
                _METADATA.create_all(self._engine)
            self._made = True
