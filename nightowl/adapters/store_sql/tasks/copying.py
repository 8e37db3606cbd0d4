"""Many new rows at once, by the quickest way that a database has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


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
    """SQLite's: one statement for each row, which costs two thirds of one for many rows.

    The driver lets other threads run at each row: a thread that reads events then never waits for longer than one.
    """
    if not rows:
        return
    sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608  names of ours
    connection.exec_driver_sql(sql, [*rows])
