"""The store of clusters' tasks in SQLite, PostgreSQL or MariaDB.

In SQLite it is a file of its own beside the store's, so that writing many tasks holds up nothing else, and one more for
what was counted (``figures``). Each schema has revisions of its own in every database.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL

from nightowl.adapters.store_sql import figures, versions
from nightowl.adapters.store_sql.engines import Engines, connect, is_in_memory, parse
from nightowl.adapters.store_sql.failures import translated
from nightowl.adapters.store_sql.figures import SqlFigures
from nightowl.adapters.store_sql.tasks.store import SqlTasks

__all__ = ["LINE", "SqlTasks", "migrate_tasks", "open_tasks"]

LINE = versions.Line(Path(__file__).parent / "migrations", "tasks_version")
"""The revisions of the tasks' tables."""

_TASKS, _FIGURES = "tasks", "figures"


def open_tasks(url: str) -> SqlTasks:
    """Connect to the tasks that belong to the store at ``url``; an empty database gets its tables.

    Raises ``ConfigurationError`` for another kind of URL, ``StoreUnavailable``, and ``SchemaOutdated`` for an older
    or newer schema.
    """
    store = parse(url)
    tasks, counted = beside(store, _TASKS), beside(store, _FIGURES)
    engines = _opened(tasks, LINE)
    try:
        others = _opened(counted, figures.LINE, None if counted != tasks else engines)
    except BaseException:
        engines.dispose()
        raise
    return SqlTasks(tasks, engines, SqlFigures(counted, others), url)


def _opened(url: URL, line: versions.Line, engines: Engines | None = None) -> Engines:
    engines = engines or connect(url)
    try:
        with translated(url):
            versions.create_if_empty(engines.writer, line)
            versions.require_head(engines.writer, url, line)
    except BaseException:
        engines.dispose()
        raise
    return engines


def migrate_tasks(url: str) -> None:
    """Bring the tables of the tasks that belong to the store at ``url`` to the newest version, where there are any.

    Raises ``StoreUnavailable``, and ``SchemaOutdated`` where a newer NightOwl wrote them.
    """
    store = parse(url)
    for what, line in ((_TASKS, LINE), (_FIGURES, figures.LINE)):
        parsed = beside(store, what)
        if parsed == store or Path(str(parsed.database)).exists():
            _migrate(parsed, line)


def _migrate(url: URL, line: versions.Line) -> None:
    engines = connect(url)
    try:
        with translated(url):
            with engines.writer.begin() as connection:
                before = versions.revision(connection, line)
            if before is None:
                return
            if versions.is_known(before, line):
                versions.upgrade(engines.writer, line)
            versions.require_head(engines.writer, url, line)
    finally:
        engines.dispose()


def beside(store: URL, what: str) -> URL:
    """The database of tasks or figures: the store's own, or of a file of SQLite one beside it (``owl.tasks.db``)."""
    if store.get_backend_name() != "sqlite" or is_in_memory(store):
        return store
    path = Path(str(store.database))
    return store.set(database=str(path.with_name(f"{path.stem}.{what}{path.suffix}")))
