"""The store."""

from __future__ import annotations

from nightowl.adapters.store_sql import Progress, backup, restore
from nightowl.adapters.store_sql import migrate as migrate_store
from nightowl.adapters.store_sql import open_store as open_sql_store
from nightowl.adapters.store_sql.tasks import migrate_tasks
from nightowl.adapters.store_sql.tasks import open_tasks as open_sql_tasks
from nightowl.config import Configuration
from nightowl.ports import Store
from nightowl.ports.clusters import TaskStore
from nightowl.wire.state import store_url

__all__ = ["Progress", "backup", "migrate", "open_store", "open_tasks", "restore"]


def open_store(configuration: Configuration) -> Store:
    """Open the store, with its tables made where the database is empty."""
    return open_sql_store(store_url(configuration), migrate=True)


def open_tasks(configuration: Configuration) -> TaskStore:
    """Open the store of clusters' tasks, with its tables made where there are none."""
    return open_sql_tasks(store_url(configuration))


def migrate(url: str) -> tuple[str | None, str]:
    """Bring the schema of the store to the newest version, and that of tasks with it where there are any.

    Returns the store's revisions before (None: empty) and after. Raises what opening them raises.
    """
    revisions = migrate_store(url)
    migrate_tasks(url)
    return revisions
