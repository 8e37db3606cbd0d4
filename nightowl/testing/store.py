"""Stores in memory, for the tests of flows and for plugin authors."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache, cached_property

from sqlalchemy import Engine

from nightowl.adapters.store_sql import SqlStore, figures
from nightowl.adapters.store_sql.engines import Engines, connect, parse
from nightowl.adapters.store_sql.figures import SqlFigures
from nightowl.adapters.store_sql.tasks import LINE, SqlTasks
from nightowl.adapters.store_sql.versions import STORE, Line, create_if_empty

_URL = parse("sqlite://")


def memory_tasks() -> SqlTasks:
    """A new, empty store of clusters' tasks in this process's memory; gone once it is closed."""
    return _tasks(_copied(_empty(LINE)), _copied(_empty(figures.LINE)))


def memory_store() -> SqlStore:
    """A new, empty store in this process's memory, ready for use from any thread; gone once it is closed.

    The migrations make its tables once in a process; from then on they are copied.
    """
    return _as_another(_copied(_empty(STORE)))


class Template:
    """A store in memory that is filled once and copied for each test: what a copy holds, no other sees change."""

    def __init__(self, fill: Callable[[SqlStore, SqlTasks], None]) -> None:
        """``fill`` gets an empty store, and one of tasks, when the first copy is asked for."""
        self._fill = fill

    def copy(self) -> tuple[SqlStore, SqlTasks]:
        """Return a new store, and one of tasks, that hold what was filled in; each is to be closed."""
        store, tasks, counted = (_copied(each) for each in self._filled)
        return _as_another(store), _tasks(tasks, counted)

    @cached_property
    def _filled(self) -> tuple[sqlite3.Connection, ...]:
        lines = (STORE, LINE, figures.LINE)
        store, tasks, counted = opened = [_copied(_empty(line)) for line in lines]
        self._fill(SqlStore(_URL, store), _tasks(tasks, counted))
        filled = tuple(_kept(engines) for engines in opened)
        for engines in opened:
            engines.dispose()
        return filled


def _as_another(engines: Engines) -> SqlStore:
    """Return a store as that of an installation of its own."""
    with _database(engines.writer) as database:
        database.execute("UPDATE marks SET value = ? WHERE name = 'installation'", [secrets.randbits(62)])
    return SqlStore(_URL, engines)


def _tasks(tasks: Engines, counted: Engines) -> SqlTasks:
    return SqlTasks(_URL, tasks, SqlFigures(_URL, counted), _URL.render_as_string())


def _copied(original: sqlite3.Connection) -> Engines:
    """Return a new database that holds what another does."""
    engines = connect(_URL)
    with _database(engines.writer) as database:
        original.backup(database)
    return engines


@cache
def _empty(line: Line) -> sqlite3.Connection:
    """Return a database with all tables of a line and nothing in them."""
    engines = connect(_URL)
    create_if_empty(engines.writer, line)
    copy = _kept(engines)
    engines.dispose()
    return copy


def _kept(engines: Engines) -> sqlite3.Connection:
    """Return a copy that none of a store's connections sees."""
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    with _database(engines.writer) as database:
        database.backup(copy)
    return copy


@contextmanager
def _database(engine: Engine) -> Iterator[sqlite3.Connection]:
    with closing(engine.raw_connection()) as connection:
        assert isinstance(connection.driver_connection, sqlite3.Connection)
        yield connection.driver_connection
