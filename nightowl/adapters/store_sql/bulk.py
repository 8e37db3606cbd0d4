"""Writing many rows at once, fast: the director has a few microseconds for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Dialect, Table

from nightowl.adapters.store_sql.statements import Mode, insertion

Rows = Sequence[tuple[Any, ...]]
"""Rows as plain tuples, in the order of the columns."""


class Bulk:
    """Inserts rows with the driver's own means; keeps the SQL of every statement that it has compiled.

    SQLite and MariaDB take the tuples as they are. PostgreSQL takes all rows as one JSON text, which costs the client a
    tenth of sending them one by one, and the server less than half.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._compiled: dict[tuple[Mode, str, tuple[str, ...]], str] = {}

    def insert(self, connection: Connection, table: Table, rows: Rows, columns: tuple[str, ...] = ()) -> int:
        """Insert rows (all columns, unless told which); a key that is there already is an ``IntegrityError``."""
        return self._run(connection, "insert", table, rows, columns)

    def insert_new(self, connection: Connection, table: Table, rows: Rows, columns: tuple[str, ...] = ()) -> int:
        """Insert the rows whose key is not there yet; how many."""
        return self._run(connection, "new", table, rows, columns)

    def upsert(self, connection: Connection, table: Table, rows: Rows) -> None:
        """Insert rows, or replace all but the key; no key may come twice."""
        self._run(connection, "replace", table, rows)

    def tally(self, connection: Connection, table: Table, rows: Rows) -> None:
        """Insert rows, or add to all but the key; no key may come twice."""
        self._run(connection, "add", table, rows)

    def _run(self, connection: Connection, mode: Mode, table: Table, rows: Rows, columns: tuple[str, ...] = ()) -> int:
        if not rows:
            return 0
        key = (mode, table.name, columns)
        sql = self._compiled.get(key)
        if sql is None:
            sql = self._compiled[key] = insertion(self._dialect, mode, table, columns or tuple(table.columns.keys()))
        if self._dialect.name == "postgresql":
            return connection.exec_driver_sql(sql, (_json(rows),)).rowcount
        return connection.exec_driver_sql(sql, list(rows)).rowcount


def _json(rows: Rows) -> str:
    """The rows as JSON; PostgreSQL has no room for the character NUL, which may come in what a target answered."""
    return msgspec.json.encode(rows).decode().replace("\\u0000", "\\ufffd")
