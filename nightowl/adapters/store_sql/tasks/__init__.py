"""The store of clusters' tasks in SQLite, PostgreSQL or MariaDB.

In SQLite it is a file of its own beside the store's, so that writing many tasks holds up nothing else. Its schema has
revisions of its own in every database.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL

from nightowl.adapters.store_sql import versions
from nightowl.adapters.store_sql.engines import connect, parse
from nightowl.adapters.store_sql.failures import translated
from nightowl.adapters.store_sql.tasks.store import SqlTasks

__all__ = ["LINE", "SqlTasks", "beside", "migrate_tasks", "open_tasks"]

LINE = versions.Line(Path(__file__).parent / "migrations", "tasks_version")
"""The revisions of the tasks' tables."""


def open_tasks(url: str) -> SqlTasks:
    """Connect to the tasks that belong to the store at ``url``; an empty database gets its tables.

    Raises ``ConfigurationError`` for another kind of URL, ``StoreUnavailable``, and ``SchemaOutdated`` for an older
    or newer schema.
    """
    parsed = beside(parse(url))
    engines = connect(parsed)
    try:
        with translated(parsed):
            versions.create_if_empty(engines.writer, LINE)
            versions.require_head(engines.writer, parsed, LINE)
    except BaseException:
        engines.dispose()
        raise
    return SqlTasks(parsed, engines)


def migrate_tasks(url: str) -> None:
    """Bring the tables of the tasks that belong to the store at ``url`` to the newest version, where there are any.

    Raises ``StoreUnavailable``, and ``SchemaOutdated`` where a newer NightOwl wrote them.
    """
    store = parse(url)
    parsed = beside(store)
    if parsed != store and not Path(str(parsed.database)).exists():
        return
    engines = connect(parsed)
    try:
        with translated(parsed):
            with engines.writer.begin() as connection:
                before = versions.revision(connection, LINE)
            if before is None:
                return
            if versions.is_known(before, LINE):
                versions.upgrade(engines.writer, LINE)
            versions.require_head(engines.writer, parsed, LINE)
    finally:
        engines.dispose()


def beside(store: URL) -> URL:
    """The database of tasks: the store's own, or of a file of SQLite the one beside it (``nightowl.tasks.db``)."""
    if store.get_backend_name() != "sqlite" or store.database in (None, "", ":memory:"):
        return store
    path = Path(str(store.database))
    return store.set(database=str(path.with_name(f"{path.stem}.tasks{path.suffix}")))
