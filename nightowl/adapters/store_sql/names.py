"""Names and the small integers that stand for them in rows."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, Table, select

from nightowl.adapters.store_sql.bulk import Bulk
from nightowl.adapters.store_sql.schema import CHECK_IDS, LOCATION_IDS, MARKS

_CHUNK = 500
_REMOVALS = select(MARKS.c.value).where(MARKS.c.name == "removals")


class KnownNames:
    """Numbers that a process has learned from committed transactions.

    Removing a check makes its number stale in every process, so what is known of checks holds only for as long as
    the mark ``removals`` stands where it stood.
    """

    def __init__(self) -> None:
        self.removals = -1
        self.checks: dict[str, int] = {}
        self.locations: dict[str, int] = {}


class Names:
    """Looks names up within a transaction; what it learns is shared once the transaction is committed."""

    def __init__(self, connection: Connection, bulk: Bulk, known: KnownNames) -> None:
        self._connection = connection
        self._bulk = bulk
        self._shared = known
        self._removals: int | None = None
        self._held = False
        self._known_checks: dict[str, int] = {}
        self._new_checks: dict[str, int] = {}
        self._new_locations: dict[str, int] = {}

    def checks(self, names: Collection[str]) -> dict[str, int]:
        """The numbers of these checks; one that has none gets one."""
        if self._removals is None:
            self._removals = self._connection.execute(_REMOVALS).scalar_one()
            self._known_checks = self._shared.checks if self._shared.removals == self._removals else {}
        return self._numbers(CHECK_IDS, names, self._known_checks, self._new_checks)

    def locations(self, names: Collection[str]) -> dict[str, int]:
        """The numbers of these locations; one that has none gets one."""
        return self._numbers(LOCATION_IDS, names, self._shared.locations, self._new_locations)

    def found(self, names: Collection[str]) -> dict[str, int]:
        """The numbers of those of these checks that have one; for reading, as it gives none."""
        return self._lookup(CHECK_IDS, sorted(names))

    def hold_checks(self) -> None:
        """Let no other transaction define or remove checks until this one ends; what is learned from now on is true."""
        if not self._held:
            self._connection.execute(_REMOVALS.with_for_update())
            self._held = True
            self.forget_checks()

    def forget_checks(self) -> None:
        """A check was removed, in this transaction or in one before."""
        self._removals = None
        self._new_checks.clear()

    def share(self) -> None:
        """The transaction was committed."""
        self._shared.locations.update(self._new_locations)
        if self._removals is None:
            return
        if self._shared.removals != self._removals:
            # a new dictionary: another transaction may still be reading the old one, by its own count of removals
            self._shared.removals, self._shared.checks = self._removals, {**self._known_checks}
        self._shared.checks.update(self._new_checks)

    def _numbers(
        self, table: Table, names: Collection[str], known: dict[str, int], new: dict[str, int]
    ) -> dict[str, int]:
        missing = [name for name in dict.fromkeys(names) if name not in known and name not in new]
        if missing:
            new.update(self._lookup(table, missing))
            unheard = [name for name in missing if name not in new]
            self._bulk.insert_new(self._connection, table, [(name,) for name in unheard], ("name",))
            new.update(self._lookup(table, unheard))
        return {name: known[name] if name in known else new[name] for name in names}

    def _lookup(self, table: Table, names: list[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for start in range(0, len(names), _CHUNK):
            query = select(table.c.name, table.c.id).where(table.c.name.in_(names[start : start + _CHUNK]))
            found.update({row.name: row.id for row in self._connection.execute(query)})
        return found
