"""Writing tasks: all in one transaction, each once, and its words with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, select, update

from nightowl.adapters.store_sql.tasks import places
from nightowl.adapters.store_sql.tasks.chunks import chunks, padded
from nightowl.adapters.store_sql.tasks.copying import copy, insert
from nightowl.adapters.store_sql.tasks.rows import Rows, finite, key, texts_of
from nightowl.adapters.store_sql.tasks.schema import CLUSTERS, FAULTS, TASKS
from nightowl.adapters.store_sql.tasks.session import Session
from nightowl.core.cluster.task import Task

_COLUMNS = tuple(TASKS.columns.keys())
_OLD = (TASKS.c.id, TASKS.c.uuid, TASKS.c.seen, TASKS.c.fault, TASKS.c.body)
_BY_UUID = "SELECT id, uuid, seen, fault, body FROM tasks WHERE cluster = {mark} AND uuid IN ({marks})"
_LAST = "SELECT {mark}, MAX(id) FROM tasks WHERE id BETWEEN {mark} AND {mark}"
"""As text, as SQLAlchemy takes longer for a long list than any database."""
_TALLY = update(CLUSTERS).where(CLUSTERS.c.id == bindparam("of")).values(tasks=CLUSTERS.c.tasks + bindparam("more"))

Key = tuple[bytes, str]
"""What a task is found by, and its id where that does not say it."""


def write(session: Session, cluster: int, tasks: Iterable[Task]) -> None:
    """Insert or replace tasks of a cluster that this transaction holds; of several with one id the last counts."""
    newest = {key(task.uuid): task for task in tasks if task.uuid}
    replaced = _known(session.connection, cluster, [uuid for uuid, _ in newest])
    ids = _ids(session.connection, cluster, newest, replaced)
    _delete(session, [*replaced.values()])
    rows = Rows(session.numbers, cluster, [*newest.values()])
    placed = sorted([(ids[of], of, task) for of, task in newest.items()], key=itemgetter(0))
    _insert(session, [(id_, *rows.row(task, *of)) for id_, of, task in placed])
    texts = [(id_, (task.args, task.kwargs, task.result, task.error)) for id_, _, task in placed]
    session.words.put(session.connection, texts)
    _forget_faults(session.connection, {row.fault for row in replaced.values()})
    _tally(session.connection, cluster, len(newest) - len(replaced))


def remove(session: Session, cluster: int, ids: Collection[int]) -> None:
    """Forget tasks of a cluster that this transaction holds."""
    rows = [row for chunk in chunks(ids) for row in session.connection.execute(_select(TASKS.c.id.in_(chunk)))]
    _delete(session, rows)
    _forget_faults(session.connection, {row.fault for row in rows})
    _tally(session.connection, cluster, -len(rows))


def _select(condition: Any) -> Any:
    return select(*_OLD).where(condition)


def _known(connection: Connection, cluster: int, uuids: Sequence[bytes]) -> dict[bytes, Row[Any]]:
    """Those of these tasks that are there."""
    found: dict[bytes, Row[Any]] = {}
    mark = _mark(connection)
    for chunk in map(padded, chunks(uuids)):
        sql = _BY_UUID.format(mark=mark, marks=", ".join([mark] * len(chunk)))
        found |= {row.uuid: row for row in connection.exec_driver_sql(sql, (cluster, *chunk))}
    return found


def _mark(connection: Connection) -> str:
    return "?" if connection.dialect.name == "sqlite" else "%s"


def _ids(
    connection: Connection, cluster: int, tasks: Mapping[Key, Task], replaced: Mapping[bytes, Row[Any]]
) -> dict[Key, int]:
    """The ids of tasks: what they have where they were first seen when they were, else the next that are free."""
    ids: dict[Key, int] = {}
    wanted: dict[Key, int] = {}
    start = places.of_cluster(cluster).first
    for of, task in tasks.items():
        before = replaced.get(of[0])
        if before is not None and before.seen == finite(task.seen):
            ids[of] = before.id
        else:
            wanted[of] = places.first_of(start, task.seen)
    free = _Free(connection, cluster, set(wanted.values()))
    return ids | {of: free.next(first) for of, first in wanted.items()}


class _Free:
    """Gives out ids that are free, millisecond by millisecond, which are named by their first id."""

    def __init__(self, connection: Connection, cluster: int, firsts: Collection[int]) -> None:
        self._connection = connection
        self._last: dict[int, int] = {}
        span = places.of_cluster(cluster)
        newest = select(func.max(TASKS.c.id)).where(TASKS.c.id.between(*span))
        self._newest: int = connection.execute(newest).scalar_one() or 0
        self._look(firsts)

    def next(self, first: int) -> int:
        """The next id of this millisecond; where it is full, of the first one after it that is not."""
        while True:
            if first not in self._last:
                self._look([first])
            place = max(first, self._last[first] + 1)
            if place < first + places.MILLISECOND:
                self._last[first] = place
                return place
            first += places.MILLISECOND

    def _look(self, firsts: Collection[int]) -> None:
        """Find the last id that is taken in each of these (0: none is)."""
        self._last |= {first: 0 for first in firsts if first > self._newest}
        mark = _mark(self._connection)
        for chunk in map(padded, chunks([first for first in firsts if first <= self._newest])):
            asked = " UNION ALL ".join([_LAST.format(mark=mark)] * len(chunk))
            spans = tuple(each for first in chunk for each in (first, *places.millisecond(first)))
            self._last |= {first: last or 0 for first, last in self._connection.exec_driver_sql(asked, spans)}


def _insert(session: Session, rows: Sequence[tuple[Any, ...]]) -> None:
    connection = session.connection
    if connection.dialect.name == "postgresql":
        copy(connection, TASKS.name, _COLUMNS, rows)
    elif connection.dialect.name == "sqlite":
        insert(connection, TASKS.name, _COLUMNS, rows)
    else:
        session.bulk.insert(connection, TASKS, rows)


def _delete(session: Session, rows: Sequence[Row[Any]]) -> None:
    session.words.drop(session.connection, [(row.id, texts_of(row.body)) for row in rows])
    for chunk in chunks([row.id for row in rows]):
        session.connection.execute(delete(TASKS).where(TASKS.c.id.in_(chunk)))


def _forget_faults(connection: Connection, faults: Collection[int | None]) -> None:
    """Forget those of these faults that no task has any more."""
    for chunk in chunks([fault for fault in faults if fault is not None]):
        left = select(TASKS.c.id).where(TASKS.c.fault == FAULTS.c.id).exists()
        connection.execute(delete(FAULTS).where(FAULTS.c.id.in_(chunk), ~left))


def _tally(connection: Connection, cluster: int, more: int) -> None:
    if more:
        connection.execute(_TALLY, {"of": cluster, "more": more})
