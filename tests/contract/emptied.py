"""Databases of servers that are used again: migrated once, and emptied before each use.

To make all tables takes a server up to a second, to empty those that a test has filled a few milliseconds.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, create_engine, delete, insert, literal, select, text, union_all
from sqlalchemy.pool import NullPool

from nightowl.adapters.store_sql import migrate
from nightowl.adapters.store_sql.schema import METADATA


class Emptied:
    """The database at ``url``, which was empty, with what the migrations put there."""

    def __init__(self, url: str) -> None:
        migrate(url)
        self.url = url
        self._engine = create_engine(url, poolclass=NullPool)
        with self._engine.connect() as connection:
            rows = {table: connection.execute(select(table)).mappings().all() for table in METADATA.sorted_tables}
        self._first: dict[Table, list[Any]] = {table: list(map(dict, found)) for table, found in rows.items() if found}

    def again(self) -> str:
        """Take out whatever was put there since; its URL."""
        with self._engine.begin() as connection:
            _wait_no_longer_than_ten_seconds(connection)
            _empty(connection, [table for table in _filled(connection) if table not in self._first])
            for table, rows in self._first.items():
                connection.execute(delete(table))
                connection.execute(insert(table), rows)
        return self.url


def _filled(connection: Connection) -> list[Table]:
    """The tables that hold anything."""
    tables = {table.name: table for table in METADATA.sorted_tables}
    looks = (
        select(literal(name)).where(select(literal(1)).select_from(table).exists()) for name, table in tables.items()
    )
    return [tables[name] for name in connection.scalars(union_all(*looks))]


def _empty(connection: Connection, tables: list[Table]) -> None:
    """Truncate tables, numbering included."""
    if connection.dialect.name == "postgresql":
        if tables:
            connection.execute(text(f"TRUNCATE {', '.join(table.name for table in tables)} RESTART IDENTITY CASCADE"))
        return
    connection.execute(text("SET FOREIGN_KEY_CHECKS = 0"))
    for table in tables:
        connection.execute(text(f"TRUNCATE {table.name}"))


def _wait_no_longer_than_ten_seconds(connection: Connection) -> None:
    """A test that left a transaction open must not hang the next."""
    setting = "lock_timeout = '10s'" if connection.dialect.name == "postgresql" else "lock_wait_timeout = 10"
    connection.execute(text(f"SET {setting}"))
