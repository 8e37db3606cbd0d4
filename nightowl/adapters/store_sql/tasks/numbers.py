"""Names of tasks, workers, queues, exceptions and places, and the numbers that stand for them in rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, bindparam, func, select

from nightowl.adapters.store_sql.bulk import Bulk
from nightowl.adapters.store_sql.tasks.chunks import chunks
from nightowl.adapters.store_sql.tasks.places import MOST_CLUSTERS
from nightowl.adapters.store_sql.tasks.schema import CLUSTERS, FAULTS, NAMES
from nightowl.core.errors import Refused

LONGEST = 255
"""Characters of a name; a longer one is cut."""

_MOST = 200_000
"""Names that a process remembers; beyond them it starts anew."""

# made once: they are needed in every transaction, and to make them takes longer than to ask
_HELD = select(CLUSTERS.c.id).where(CLUSTERS.c.name == bindparam("cluster")).with_for_update()
_FAULTS = select(FAULTS).where(
    FAULTS.c.cluster == bindparam("cluster"),
    *(FAULTS.c[field].in_(bindparam(field, expanding=True)) for field in ("exception", "place", "name")),
)

Fault = tuple[int, int, int]
"""The numbers of an exception, a place and a task's name."""


def clean(text: str) -> str:
    """The text with nothing in it that is no character (JSON may bring half of a pair of surrogates)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def known_by(name: str) -> bytes:
    """The bytes that a name is kept as."""
    return clean(name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…").encode()


class Known:
    """What a process has learned from committed transactions; true for ever, as no number is given twice."""

    def __init__(self) -> None:
        self.clusters: dict[str, int] = {}
        self.numbers: dict[tuple[int, int], dict[str, int]] = {}
        self.names: dict[int, str] = {0: ""}

    def learn(self, of: tuple[int, int], numbers: Mapping[str, int]) -> None:
        """Remember the numbers of names of one cluster and kind."""
        known = self.numbers.setdefault(of, {"": 0})
        if len(known) + len(numbers) > _MOST:
            known = self.numbers[of] = {"": 0}
        known.update({name: number for name, number in numbers.items() if len(name) <= LONGEST})


class Numbers:
    """Looks names up within a transaction; what it learns is shared once the transaction is committed."""

    def __init__(self, connection: Connection, bulk: Bulk, known: Known) -> None:
        self._connection = connection
        self._bulk = bulk
        self._known = known
        self._new: dict[tuple[int, int], dict[str, int]] = {}
        self._new_clusters: dict[str, int] = {}

    def cluster(self, name: str) -> int | None:
        """The number of a cluster."""
        if name in self._known.clusters:
            return self._known.clusters[name]
        query = select(CLUSTERS.c.id).where(CLUSTERS.c.name == known_by(name))
        found: int | None = self._connection.execute(query).scalar_one_or_none()
        if found is not None:
            self._new_clusters[name] = found
        return found

    def held_cluster(self, name: str) -> int:
        """The number of a cluster; one that has none gets one. No other transaction writes its tasks meanwhile."""
        if self.cluster(name) is None:
            last = self._connection.execute(select(func.coalesce(func.max(CLUSTERS.c.id), 0))).scalar_one()
            if last >= MOST_CLUSTERS:
                raise Refused(f"Tasks of more than {MOST_CLUSTERS} clusters cannot be kept in one store")
            self._bulk.insert(self._connection, CLUSTERS, [(last + 1, known_by(name), 0)], ("id", "name", "tasks"))
        number: int = self._connection.execute(_HELD, {"cluster": known_by(name)}).scalar_one()
        self._new_clusters[name] = number
        return number

    def hold(self, cluster: int) -> None:
        """Let no other transaction write a cluster's tasks until this one ends."""
        self._connection.execute(select(CLUSTERS.c.id).where(CLUSTERS.c.id == cluster).with_for_update())

    def given(self, cluster: int, kind: int, names: Collection[str]) -> Mapping[str, int]:
        """The numbers of (at least) these names; one that has none gets one. The empty name is 0."""
        found = self.found(cluster, kind, names)
        unheard = {name: known_by(name) for name in names if name not in found}
        if not unheard:
            return found
        rows = sorted({(cluster, kind, kept) for kept in unheard.values()})
        self._bulk.insert_new(self._connection, NAMES, rows, ("cluster", "kind", "name"))
        return {**found, **self._looked_up(cluster, kind, unheard)}

    def found(self, cluster: int, kind: int, names: Collection[str]) -> Mapping[str, int]:
        """The numbers of those of these names that have one, and maybe of others."""
        known = self._known.numbers.get((cluster, kind), {"": 0})
        missing = {name: known_by(name) for name in names if name not in known}
        return {**known, **self._looked_up(cluster, kind, missing)} if missing else known

    def faults(self, cluster: int, faults: Collection[Fault]) -> dict[Fault, int]:
        """The numbers of faults; one that has none gets one."""
        found = self._faults(cluster, faults)
        rows = [(cluster, name, *what) for *what, name in faults if (*what, name) not in found]
        if rows:
            self._bulk.insert_new(self._connection, FAULTS, rows, ("cluster", "name", "exception", "place"))
            found |= self._faults(cluster, [fault for fault in faults if fault not in found])
        return found

    def names(self, numbers: Iterable[int]) -> Mapping[int, str]:
        """The names that numbers stand for, and maybe those of others."""
        known = self._known.names
        missing = {number for number in numbers if number not in known}
        if not missing:
            return known
        found = dict(known)
        for chunk in chunks(missing):
            query = select(NAMES.c.id, NAMES.c.name).where(NAMES.c.id.in_(chunk))
            found |= {row.id: row.name.decode() for row in self._connection.execute(query)}
        self._known.names = found if len(found) < _MOST else {0: ""}
        return found

    def share(self) -> None:
        """The transaction was committed."""
        self._known.clusters.update(self._new_clusters)
        for of, numbers in self._new.items():
            self._known.learn(of, numbers)

    def _faults(self, cluster: int, faults: Collection[Fault]) -> dict[Fault, int]:
        found: dict[Fault, int] = {}
        for chunk in chunks(sorted(faults)):
            wanted = {field: {fault[at] for fault in chunk} for at, field in enumerate(("exception", "place", "name"))}
            found |= {
                (row.exception, row.place, row.name): row.id
                for row in self._connection.execute(_FAULTS, {"cluster": cluster, **wanted})
            }
        return found

    def _looked_up(self, cluster: int, kind: int, names: Mapping[str, bytes]) -> dict[str, int]:
        numbers: dict[bytes, int] = {}
        for chunk in chunks(set(names.values())):
            query = select(NAMES.c.name, NAMES.c.id).where(
                NAMES.c.cluster == cluster, NAMES.c.kind == kind, NAMES.c.name.in_(chunk)
            )
            numbers |= {row.name: row.id for row in self._connection.execute(query)}
        found = {name: numbers[kept] for name, kept in names.items() if kept in numbers}
        self._new.setdefault((cluster, kind), {}).update(found)
        return found
