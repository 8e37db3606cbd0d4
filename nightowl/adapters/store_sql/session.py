"""What every part of a unit works with."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Table

from nightowl.adapters.store_sql.bulk import Bulk, Rows
from nightowl.adapters.store_sql.names import Names


@dataclass(frozen=True, slots=True)
class Session:
    """A connection inside a transaction, the compiled bulk statements, and the numbers of names.

    ``writes`` is false in a read, where nothing may be locked.
    """

    connection: Connection
    bulk: Bulk
    names: Names
    writes: bool

    def insert(self, table: Table, rows: Rows) -> int:
        """Insert rows (all columns, in order); a key that is there already is an ``IntegrityError``."""
        return self.bulk.insert(self.connection, table, rows)

    def insert_new(self, table: Table, rows: Rows, columns: tuple[str, ...] = ()) -> int:
        """Insert the rows whose key is not there yet; how many."""
        return self.bulk.insert_new(self.connection, table, rows, columns)

    def upsert(self, table: Table, rows: Rows) -> None:
        """Insert rows, or replace all but the key; no key may come twice."""
        self.bulk.upsert(self.connection, table, rows)

    def tally(self, table: Table, rows: Rows) -> None:
        """Insert rows, or add to all but the key; no key may come twice."""
        self.bulk.tally(self.connection, table, rows)
