"""Connections: for every database one engine that writes and one that reads a consistent view."""

from __future__ import annotations

import sqlite3
import uuid
from functools import partial
from time import monotonic, sleep
from typing import Any, NamedTuple

import sqlalchemy.orm  # noqa: F401 - kombu's transport would import it in a thread while others ask the store
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from nightowl.adapters.store_sql.database_file import DatabaseFile
from nightowl.adapters.store_sql.failures import describe, masked, primary_code
from nightowl.core.errors import ConfigurationError, Mistake

_PATIENCE = 15  # seconds to wait for a connection, or for SQLite's one lock
_LOCK_WAIT = 3  # seconds to wait for a lock that another transaction holds on a server
_IDLE = 5  # seconds after which a server ends a transaction in which nothing happens, and frees its locks
_SLOWEST = 120  # seconds that MariaDB may take to answer, a migration's statements included
_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_ALLOWED = "sqlite:///PATH, postgresql://USER:PASSWORD@HOST/DATABASE or mariadb://USER:PASSWORD@HOST/DATABASE"


class Engines(NamedTuple):
    """The two ways into one database."""

    writer: Engine
    reader: Engine

    def dispose(self) -> None:
        """Close all connections."""
        self.writer.dispose()
        self.reader.dispose()


def parse(url: str) -> URL:
    """The URL of a database that NightOwl knows, with its driver named.

    Raises ``ConfigurationError`` for any other.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError([_mistake("something that is no URL")]) from None
    driver = _DRIVERS.get(parsed.get_backend_name())
    if driver is None or parsed.drivername not in (driver, parsed.get_backend_name()):
        raise ConfigurationError([_mistake(f'"{parsed.render_as_string(hide_password=True)}"')])
    return parsed.set(drivername=driver)


def is_in_memory(url: URL) -> bool:
    """Whether nobody but the process that opened it sees this database."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def connect(url: URL) -> Engines:
    """Engines for ``url``; nothing is connected yet.

    Raises ``ConfigurationError`` for arguments in the URL that the driver refuses: here, or once it connects.
    """
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    try:
        return _postgresql(url) if url.get_backend_name() == "postgresql" else _mariadb(url)
    except (TypeError, ValueError) as error:
        raise _refused(url, error) from None


def _mistake(found: str) -> Mistake:
    return Mistake(file="", key="store.url", found=found, allowed=_ALLOWED)


def _sqlite(url: URL) -> Engines:
    """One writer for the whole process, so that its threads wait in line; readers beside it.

    A database in memory is one of SQLite's ``memdb`` files, which all connections of the process share and which
    lives as long as one of them.
    """
    in_memory = is_in_memory(url)
    name = f"file:/nightowl-{uuid.uuid4()}?vfs=memdb" if in_memory else str(url.database)
    file = None if in_memory else DatabaseFile(name)

    def open_file(*, only_read: bool) -> sqlite3.Connection:
        if file:
            file.prepare()
        connection = sqlite3.connect(
            name, uri=in_memory, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        _use_wal(connection)
        if file:
            file.opened()
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA cache_size=-16384")
        # a director writes the same pages again and again: at most 16 MiB of them wait in the log
        connection.execute("PRAGMA wal_autocheckpoint=4096")
        connection.execute(f"PRAGMA query_only={only_read:d}")
        return connection

    base = URL.create("sqlite")
    writer = create_engine(
        base,
        creator=partial(open_file, only_read=False),
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=_PATIENCE,
    )
    reader = create_engine(
        base,
        creator=partial(open_file, only_read=True),
        poolclass=QueuePool,
        pool_size=4,
        max_overflow=12,
        pool_timeout=_PATIENCE,
    )
    event.listen(writer, "begin", partial(_begin, "BEGIN IMMEDIATE", file))
    event.listen(reader, "begin", partial(_begin, "BEGIN", file))
    return Engines(writer, reader)


def _begin(statement: str, file: DatabaseFile | None, connection: Connection) -> None:
    if file:
        file.require()
    connection.exec_driver_sql(statement)


def _refused(url: URL, error: Exception) -> ConfigurationError:
    return ConfigurationError(
        [_mistake(f'"{describe(url)}" with arguments that the driver refuses ({masked(error, url)})')]
    )


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch the file to WAL, which a new file is not in yet.

    Of several processes that do so at once, SQLite lets one, and tells the others "locked" without waiting, as each
    could be waiting for another: so they try again.
    """
    deadline = monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
            sleep(0.05)
        else:
            return


def _postgresql(url: URL) -> Engines:
    arguments = {
        "connect_timeout": _PATIENCE,
        "application_name": "nightowl",
        # a server that went away without a word is known to be gone within about ten seconds
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,  # milliseconds
    }
    bounds = {"lock_timeout": f"{_LOCK_WAIT}s", "idle_in_transaction_session_timeout": f"{_IDLE}s"}
    # what stands in the URL comes last, and wins
    options = [*(f"-c {name}={value}" for name, value in bounds.items()), *_texts(url.query.get("options", ()))]
    engines = _server(url, arguments, {"options": " ".join(options)})
    return engines._replace(reader=engines.reader.execution_options(postgresql_readonly=True))


def _mariadb(url: URL) -> Engines:
    arguments = {
        "connect_timeout": _PATIENCE,
        "read_timeout": _SLOWEST,
        "write_timeout": _SLOWEST,
        "charset": "utf8mb4",
        "init_command": "SET time_zone = '+00:00'",
    }
    # MySQL takes the second part for a comment, as it has no such bound
    bounds = f"SET SESSION innodb_lock_wait_timeout = {_LOCK_WAIT} /*M!100300 , idle_transaction_timeout = {_IDLE} */"
    engines = _server(url, arguments, {})
    event.listen(engines.writer, "connect", partial(_first, bounds))
    event.listen(engines.reader, "connect", partial(_first, "SET SESSION TRANSACTION READ ONLY"))
    return engines


def _texts(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _first(statement: str, connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _server(url: URL, defaults: dict[str, Any], writing: dict[str, Any]) -> Engines:
    """Engines for a server; ``writing`` is what only the writer's connections get."""
    arguments = {key: value for key, value in defaults.items() if key not in url.query}
    options: dict[str, Any] = {"paramstyle": "format", "pool_pre_ping": True, "pool_timeout": _PATIENCE}
    engines = Engines(
        create_engine(url, isolation_level="READ COMMITTED", connect_args=arguments | writing, **options),
        create_engine(url, isolation_level="REPEATABLE READ", connect_args=arguments, **options),
    )
    for engine in engines:
        event.listen(engine, "do_connect", partial(_open, url))
    return engines


def _open(url: URL, dialect: Any, _record: object, cargs: Any, cparams: Any) -> Any:
    """Connect by the driver; that it does not know an argument is the user's mistake, not the server's."""
    try:
        return dialect.connect(*cargs, **cparams)
    except (TypeError, ValueError, FileNotFoundError, PermissionError, dialect.loaded_dbapi.ProgrammingError) as error:
        raise _refused(url, error) from None
