"""The version of a database's schema: asked, refused, brought up to date.

The store and the tasks of clusters are versioned apart, as in SQLite they are two files.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import URL, Connection, Engine, column, inspect, select, table, text

from nightowl.adapters.store_sql.failures import describe, interruption_told
from nightowl.core.errors import SchemaOutdated, StoreUnavailable

_POSTGRESQL_LOCK = 7_041_989  # any number that nobody else in the database uses
_PATIENCE = 60  # seconds that a process waits for another one's migration


class Line(NamedTuple):
    """A schema with revisions of its own: its folder of migrations, and the table that holds its revision."""

    migrations: Path
    table: str


STORE = Line(Path(__file__).parent / "migrations", "alembic_version")


def head(line: Line = STORE) -> str:
    """The revision that this version of NightOwl works with."""
    return known(line)[-1]


@cache
def known(line: Line = STORE) -> list[str]:
    """All revisions, oldest first: each is the file ``rNNNN_WORD.py``."""
    return sorted(path.name[1:5] for path in (line.migrations / "versions").glob("r*.py"))


def revision(connection: Connection, line: Line = STORE) -> str | None:
    """The revision of the database (None: it is empty)."""
    if not inspect(connection).has_table(line.table):
        return None
    return connection.execute(select(column("version_num")).select_from(table(line.table))).scalar_one_or_none()


def require_head(engine: Engine, url: URL, line: Line = STORE) -> None:
    """Raise ``SchemaOutdated`` unless the schema is the one that this version needs."""
    with engine.begin() as connection:
        found = revision(connection, line)
    wanted = head(line)
    if found == wanted:
        return
    if found is None:
        raise SchemaOutdated(f'Store {describe(url)} has no tables yet; create them with "nightowl db migrate"')
    if not is_known(found, line):
        raise SchemaOutdated(
            f"Store {describe(url)} was written by a newer NightOwl (schema {found}, this one knows up to {wanted}); "
            'run that version, as "nightowl db migrate" only leads forward'
        )
    raise SchemaOutdated(
        f"Store {describe(url)} has schema {found}, this NightOwl needs {wanted}; "
        'make a backup with the NightOwl that wrote it, then run "nightowl db migrate"'
    )


def create_if_empty(engine: Engine, line: Line = STORE) -> None:
    """Create all tables in an empty database; several processes may do so at once."""
    with engine.begin() as connection:
        found = revision(connection, line)
    if found != head(line):  # MariaDB shows what another process has made so far: upgrading waits for its end
        upgrade(engine, line, only_empty=True)


def upgrade(engine: Engine, line: Line = STORE, *, only_empty: bool = False) -> None:
    """Run the migrations up to this version's."""
    with alone(engine) as connection:
        if not only_empty or revision(connection, line) is None:
            upgrade_on(connection, "head", line)


def upgrade_on(connection: Connection, to: str, line: Line = STORE) -> None:
    """Run the migrations up to a revision, in the connection's transaction.

    Raises ``StoreUnusable`` where an earlier run was interrupted in a database that keeps half of one.
    """
    from alembic import command  # noqa: PLC0415  a tenth of a second that only a migration has to pay
    from alembic.config import Config  # noqa: PLC0415  likewise

    config = Config()
    config.set_main_option("script_location", str(line.migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    with interruption_told(connection):
        command.upgrade(config, to)


@contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """Begin a transaction in which this process alone migrates. Raises ``StoreUnavailable`` after a minute."""
    with engine.connect() as connection, _locked(connection):
        yield connection
        connection.commit()  # before the lock is let go, as the next one is to see all of it


@contextmanager
def _locked(connection: Connection) -> Iterator[None]:
    """Hold what one process at a time can; SQLite's writer transaction is such a lock by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{_PATIENCE}s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRESQL_LOCK})
        yield
    elif connection.dialect.name in ("mysql", "mariadb"):
        got = connection.execute(text(f"SELECT GET_LOCK(LEFT(CONCAT('nightowl-', DATABASE()), 64), {_PATIENCE})"))
        if got.scalar_one() != 1:
            raise StoreUnavailable("Another process has been migrating the store for a minute; try again later")
        try:
            yield
        finally:
            connection.execute(text("SELECT RELEASE_LOCK(LEFT(CONCAT('nightowl-', DATABASE()), 64))"))
    else:
        yield


def is_known(found: str, line: Line = STORE) -> bool:
    """Whether this version of NightOwl has that revision."""
    return found in known(line)
