"""What the databases say differently: their clocks, and inserting what may be there already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Double,
    LargeBinary,
    Select,
    String,
    Table,
    cast,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite

Mode = Literal["insert", "new", "replace", "add"]
"""What becomes of a row whose key is there already: an error, nothing, the new one, or the sum of both."""

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


def insertion(dialect: Dialect, mode: Mode, table: Table, columns: Sequence[str]) -> str:
    """The SQL that inserts rows with these columns.

    Its parameters are the columns of one row, in order; for PostgreSQL one JSON text with an array of all rows.
    """
    if dialect.name in ("mysql", "mariadb"):
        statement: Any = _mariadb(mode, table)
    elif dialect.name == "postgresql":
        insert = postgresql.insert(table).from_select(list(columns), _json_rows(table, columns))
        return str(_on_conflict(insert, mode, table).compile(dialect=dialect))
    else:
        statement = _on_conflict(sqlite.insert(table), mode, table)
    return str(statement.compile(dialect=dialect, column_keys=list(columns)))


def _mariadb(mode: Mode, table: Table) -> Any:
    insert = mysql.insert(table)
    if mode == "insert":
        return insert
    if mode == "new":
        return insert.prefix_with("IGNORE")
    return insert.on_duplicate_key_update(_changed(mode, table, insert.inserted))


def _on_conflict(insert: Any, mode: Mode, table: Table) -> Any:
    if mode == "insert":
        return insert
    if mode == "new":
        return insert.on_conflict_do_nothing()
    key = [column.name for column in table.primary_key]
    return insert.on_conflict_do_update(index_elements=key, set_=_changed(mode, table, insert.excluded))


def _changed(mode: Mode, table: Table, new: Any) -> dict[str, Any]:
    names = [column.name for column in table.columns if not column.primary_key]
    return {name: table.c[name] + new[name] if mode == "add" else new[name] for name in names}


def _json_rows(table: Table, columns: Sequence[str]) -> Select[Any]:
    values = [_json_value(table.c[name], position) for position, name in enumerate(columns)]
    return select(*values).select_from(text("jsonb_array_elements(CAST(:rows AS jsonb)) AS entry"))


def _json_value(column: ColumnElement[Any], position: int) -> ColumnElement[Any]:
    value: ColumnElement[Any] = literal_column(f"(entry ->> {position})", String)
    if isinstance(column.type, String):
        return value  # a cast to VARCHAR(n) would cut what is too long
    if isinstance(column.type, LargeBinary):
        return func.decode(value, literal_column("'base64'"))
    return cast(value, column.type)
