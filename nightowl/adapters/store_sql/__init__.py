"""The store in SQLite, PostgreSQL or MariaDB, by SQLAlchemy Core."""

from __future__ import annotations

from nightowl.adapters.store_sql import versions
from nightowl.adapters.store_sql.dump import Progress, backup, restore
from nightowl.adapters.store_sql.engines import connect, parse
from nightowl.adapters.store_sql.failures import translated
from nightowl.adapters.store_sql.store import SqlStore, SqlUnit

__all__ = ["Progress", "SqlStore", "SqlUnit", "backup", "migrate", "open_store", "restore"]


def open_store(url: str, *, migrate: bool = False) -> SqlStore:
    """Connect to the database at ``url`` and make sure that its schema is the one that this version needs.

    ``sqlite:///PATH`` (``sqlite://``: in memory), ``postgresql+psycopg://...`` or ``mysql+pymysql://...``. With
    ``migrate`` an empty database gets its tables; an older one is left alone (``migrate`` the function is for that).

    Raises ``ConfigurationError`` for another kind of URL, ``StoreUnavailable``, and ``SchemaOutdated`` for an older
    or newer schema.
    """
    parsed = parse(url)
    engines = connect(parsed)
    try:
        with translated(parsed):
            if migrate:
                versions.create_if_empty(engines.writer)
            versions.require_head(engines.writer, parsed)
    except BaseException:
        engines.dispose()
        raise
    return SqlStore(parsed, engines)


def migrate(url: str) -> tuple[str | None, str]:
    """Bring the schema to the newest version; the revisions before (None: empty) and after.

    Raises ``ConfigurationError``, ``StoreUnavailable``, and ``SchemaOutdated`` where a newer NightOwl wrote it.
    """
    parsed = parse(url)
    engines = connect(parsed)
    try:
        with translated(parsed):
            with engines.writer.begin() as connection:
                before = versions.revision(connection)
            if before is None or versions.is_known(before):
                versions.upgrade(engines.writer)
            versions.require_head(engines.writer, parsed)
    finally:
        engines.dispose()
    return before, versions.head()
