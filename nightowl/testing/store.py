"""A store in memory, for the tests of flows and for plugin authors."""

from __future__ import annotations

from nightowl.adapters.store_sql import SqlStore, open_store


def memory_store() -> SqlStore:
    """A new, empty store in this process's memory, ready for use from any thread; gone once it is closed."""
    return open_store("sqlite://", migrate=True)
