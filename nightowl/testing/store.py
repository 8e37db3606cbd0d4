"""Stores in memory, for the tests of flows and for plugin authors."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache

from sqlalchemy import Engine

from nightowl.adapters.store_sql import SqlStore, figures
from nightowl.adapters.store_sql.engines import Engines, connect, parse
from nightowl.adapters.store_sql.figures import SqlFigures
from nightowl.adapters.store_sql.tasks import LINE, SqlTasks
from nightowl.adapters.store_sql.versions import STORE, Line, create_if_empty

_URL = parse("sqlite://")


def memory_tasks() -> SqlTasks:
    """A new, empty store of clusters' tasks in this process's memory; gone once it is closed."""
    return SqlTasks(_URL, _copied(LINE), SqlFigures(_URL, _copied(figures.LINE)), _URL.render_as_string())


def memory_store() -> SqlStore:
    """A new, empty store in this process's memory, ready for use from any thread; gone once it is closed.

    The migrations make its tables once in a process; from then on they are copied.
    """
    engines = _copied(STORE)
    with _database(engines.writer) as database:
        database.execute("UPDATE marks SET value = ? WHERE name = 'installation'", [secrets.randbits(62)])
    return SqlStore(_URL, engines)


def _copied(line: Line) -> Engines:
    """Return a new database with all tables of a line."""
    engines = connect(_URL)
    with _database(engines.writer) as database:
        _empty(line).backup(database)
    return engines


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
