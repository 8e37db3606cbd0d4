"""Many new rows at once, by the quickest way that a database has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

_AT_ONCE = 128
"""Rows of one statement in SQLite."""


def copy(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """PostgreSQL's COPY, by the driver; raises what SQLAlchemy would."""
    driver: Any = connection.connection.driver_connection
    sql = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    base: Any = connection.dialect.loaded_dbapi.Error
    try:
        with driver.cursor() as cursor, cursor.copy(sql) as stream:
            for row in rows:
                stream.write_row(row)
    except base as error:
        raise DBAPIError.instance(sql, None, error, base, dialect=connection.dialect) from error


def insert(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """SQLite's: many rows by one statement.

    The driver lets other threads run during each statement. With one for each row it would have to wait for its turn
    as often, which is long while another thread is busy: a thousandth of a second and more.
    """
    into = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "  # noqa: S608  names of ours
    row = f"({', '.join('?' * len(columns))})"
    whole = len(rows) - len(rows) % _AT_ONCE
    several = into + ", ".join([row] * _AT_ONCE)
    for start in range(0, whole, _AT_ONCE):
        connection.exec_driver_sql(several, tuple(chain.from_iterable(rows[start : start + _AT_ONCE])))
    if whole < len(rows):
        connection.exec_driver_sql(into + row, [*rows[whole:]])
