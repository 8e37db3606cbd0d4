"""The store."""

from __future__ import annotations

from nightowl.adapters.store_sql import Progress, backup, migrate, restore
from nightowl.adapters.store_sql import open_store as open_sql_store
from nightowl.config import Configuration
from nightowl.ports import Store
from nightowl.wire.state import store_url

__all__ = ["Progress", "backup", "migrate", "open_store", "restore"]


def open_store(configuration: Configuration) -> Store:
    """Open the store, with its tables made where the database is empty."""
    return open_sql_store(store_url(configuration), migrate=True)
