"""Stores in memory, for the tests of flows and for plugin authors."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache

from sqlalchemy import Engine

from nightowl.adapters.store_sql import SqlStore
from nightowl.adapters.store_sql.engines import connect, parse
from nightowl.adapters.store_sql.tasks import LINE, SqlTasks
from nightowl.adapters.store_sql.versions import STORE, Line, create_if_empty

_URL = parse("sqlite://")


def memory_tasks() -> SqlTasks:
    """A new, empty store of clusters' tasks in this process's memory; gone once it is closed."""
    engines = connect(_URL)
    with _database(engines.writer) as database:
        _empty(LINE).backup(database)
    return SqlTasks(_URL, engines)


def memory_store() -> SqlStore:
    """A new, empty store in this process's memory, ready for use from any thread; gone once it is closed.

    The migrations make its tables once in a process; from then on they are copied.
    """
    engines = connect(_URL)
    with _database(engines.writer) as database:
        _empty(STORE).backup(database)
        database.execute("UPDATE marks SET value = ? WHERE name = 'installation'", [secrets.randbits(62)])
    return SqlStore(_URL, engines)


@cache
def _empty(line: Line) -> sqlite3.Connection:
    """Return a database with all tables of a line and nothing in them."""
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    engines = connect(_URL)
    create_if_empty(engines.writer, line)
    with _database(engines.writer) as database:
        database.backup(copy)
    engines.dispose()
    return copy


@contextmanager
def _database(engine: Engine) -> Iterator[sqlite3.Connection]:
    with closing(engine.raw_connection()) as connection:
        assert isinstance(connection.driver_connection, sqlite3.Connection)
        yield connection.driver_connection
