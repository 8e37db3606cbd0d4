"""The version of a database's schema: asked, refused, brought up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, inspect, text

from nightowl.adapters.store_sql.failures import describe
from nightowl.core.errors import SchemaOutdated, StoreUnavailable

_POSTGRESQL_LOCK = 7_041_989  # any number that nobody else in the database uses
_PATIENCE = 60  # seconds that a process waits for another one's migration
_MIGRATIONS = Path(__file__).parent / "migrations"


def head() -> str:
    """The revision that this version of NightOwl works with."""
    return known()[-1]


@cache
def known() -> list[str]:
    """All revisions, oldest first: each is the file ``rNNNN_WORD.py``."""
    return sorted(path.name[1:5] for path in (_MIGRATIONS / "versions").glob("r*.py"))


def revision(connection: Connection) -> str | None:
    """The revision of the database (None: it is empty)."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def require_head(engine: Engine, url: URL) -> None:
    """Raise ``SchemaOutdated`` unless the schema is the one that this version needs."""
    with engine.begin() as connection:
        found = revision(connection)
    wanted = head()
    if found == wanted:
        return
    if found is None:
        raise SchemaOutdated(f'Store {describe(url)} has no tables yet; create them with "nightowl db migrate"')
    if not is_known(found):
        raise SchemaOutdated(
            f"Store {describe(url)} was written by a newer NightOwl (schema {found}, this one knows up to {wanted}); "
            'run that version, as "nightowl db migrate" only leads forward'
        )
    raise SchemaOutdated(
        f"Store {describe(url)} has schema {found}, this NightOwl needs {wanted}; "
        'make a backup with the NightOwl that wrote it, then run "nightowl db migrate"'
    )


def create_if_empty(engine: Engine) -> None:
    """Create all tables in an empty database; several processes may do so at once."""
    with engine.begin() as connection:
        empty = revision(connection) is None
    if empty:
        upgrade(engine, only_empty=True)


def upgrade(engine: Engine, *, only_empty: bool = False) -> None:
    """Run the migrations up to this version's."""
    with engine.begin() as connection, _alone(connection):
        if not only_empty or revision(connection) is None:
            upgrade_on(connection, "head")


def upgrade_on(connection: Connection, to: str) -> None:
    """Run the migrations up to a revision, in the connection's transaction."""
    from alembic import command  # noqa: PLC0415  a tenth of a second that only a migration has to pay
    from alembic.config import Config  # noqa: PLC0415  likewise

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, to)


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Let one process migrate at a time; SQLite's writer transaction is such a lock by itself."""
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


def is_known(found: str) -> bool:
    """Whether this version of NightOwl has that revision."""
    return found in known()
