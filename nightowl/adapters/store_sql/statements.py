"""What the databases say differently: inserting what is new, upserting, and reading the database's clock.

Bulk writes take rows as plain tuples in the order of the columns and go straight to the driver's ``executemany``:
for the rows of rounds that is the difference between a few microseconds and many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Dialect, Double, Table, literal_column
from sqlalchemy.dialects import mysql, postgresql, sqlite

_CLOCKS = {
    # to the millisecond; unixepoch('subsec') would need SQLite 3.42
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
    "postgresql": "EXTRACT(EPOCH FROM clock_timestamp())::double precision",
    "mysql": "(UNIX_TIMESTAMP(SYSDATE(6)) + 0e0)",
    "mariadb": "(UNIX_TIMESTAMP(SYSDATE(6)) + 0e0)",
}


def clock(connection: Connection) -> ColumnElement[float]:
    """The database's own clock as Unix seconds, read anew at each use, not fixed at the transaction's start."""
    return literal_column(_CLOCKS[connection.dialect.name], Double)


class Bulk:
    """Writes many rows at once; keeps the SQL of every statement that it has compiled."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._compiled: dict[tuple[str, str, tuple[str, ...]], str] = {}

    def insert(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> int:
        """Insert rows (all columns, in order); a key that is there already is an ``IntegrityError``."""
        return self._run(connection, "insert", table, rows)

    def insert_new(
        self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]], columns: tuple[str, ...] = ()
    ) -> int:
        """Insert the rows whose key is not there yet; how many."""
        return self._run(connection, "new", table, rows, columns)

    def upsert(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows, or replace all but the key."""
        self._run(connection, "replace", table, rows)

    def tally(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows, or add to all but the key."""
        self._run(connection, "add", table, rows)

    def _run(
        self,
        connection: Connection,
        mode: str,
        table: Table,
        rows: Sequence[tuple[Any, ...]],
        columns: tuple[str, ...] = (),
    ) -> int:
        if not rows:
            return 0
        key = (mode, table.name, columns)
        sql = self._compiled.get(key)
        if sql is None:
            names = list(columns or table.columns.keys())
            sql = self._compiled[key] = str(self._build(mode, table).compile(dialect=self._dialect, column_keys=names))
        return connection.exec_driver_sql(sql, list(rows)).rowcount

    def _build(self, mode: str, table: Table) -> Any:
        changed = [column.name for column in table.columns if not column.primary_key]
        if self._dialect.name in ("mysql", "mariadb"):
            mine = mysql.insert(table)
            if mode == "insert":
                return mine
            if mode == "new":
                return mine.prefix_with("IGNORE")
            new = mine.inserted
            return mine.on_duplicate_key_update(
                {name: table.c[name] + new[name] if mode == "add" else new[name] for name in changed}
            )
        theirs = (postgresql if self._dialect.name == "postgresql" else sqlite).insert(table)
        if mode == "insert":
            return theirs
        if mode == "new":
            return theirs.on_conflict_do_nothing()
        return theirs.on_conflict_do_update(
            index_elements=[column.name for column in table.primary_key],
            set_={
                name: table.c[name] + theirs.excluded[name] if mode == "add" else theirs.excluded[name]
                for name in changed
            },
        )
