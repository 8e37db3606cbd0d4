"""The store of tasks as a whole."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import URL, Connection, select, text

from nightowl.adapters.store_sql import sizes
from nightowl.adapters.store_sql.bulk import Bulk
from nightowl.adapters.store_sql.engines import Engines
from nightowl.adapters.store_sql.failures import translated
from nightowl.adapters.store_sql.figures import SqlFigures
from nightowl.adapters.store_sql.tasks import clusters, places, writing
from nightowl.adapters.store_sql.tasks.chunks import chunks
from nightowl.adapters.store_sql.tasks.failures import failures
from nightowl.adapters.store_sql.tasks.numbers import Known, Numbers, known_by
from nightowl.adapters.store_sql.tasks.pruning import prune
from nightowl.adapters.store_sql.tasks.rows import Reader, key, sort_values, uuid_of
from nightowl.adapters.store_sql.tasks.scanning import count, scan
from nightowl.adapters.store_sql.tasks.schema import METADATA, NAME, NAMES, TASKS
from nightowl.adapters.store_sql.tasks.selection import Range, ranges
from nightowl.adapters.store_sql.tasks.session import Session
from nightowl.adapters.store_sql.tasks.word_index import word_index
from nightowl.core.cluster.events import Gap
from nightowl.core.cluster.state import ClusterState
from nightowl.core.cluster.task import ENDED, Failures, Task, TaskFilter, TaskPage, TaskState

SORTED = 10_000
"""Tasks, the newest of those asked for, that are sorted by something else."""

CHILDREN = 10_000
"""Tasks that were started by those asked for, of each portion of them."""

_PORTION = 1_000
_OPEN = tuple(state.value for state in TaskState if state not in ENDED)
_ORDERS = frozenset({"name", "state", "received", "started", "runtime", "updated"})


class SqlTasks:
    """See ``ports.clusters.TaskStore``. Made by ``open_tasks``."""

    def __init__(self, url: URL, engines: Engines, figures: SqlFigures) -> None:
        self._url = url
        self._engines = engines
        self._figures = figures
        self._bulk = Bulk(engines.writer.dialect)
        self._words = word_index(engines.writer.dialect)
        self._known = Known()

    def write(
        self,
        cluster: str,
        tasks: Sequence[Task],
        *,
        state: ClusterState | None = None,
        gaps: Sequence[Gap] = (),
    ) -> None:
        """Insert or replace tasks by their id, and what else is given, in one transaction."""
        with self._writing() as session:
            number = session.numbers.held_cluster(cluster)
            writing.write(session, number, tasks)
            clusters.write(session, number, state)
            clusters.add_gaps(session, number, gaps)

    def state(self, cluster: str) -> ClusterState | None:
        """How a cluster was seen last."""
        with self._reading() as session:
            number = session.numbers.cluster(cluster)
            return None if number is None else clusters.state(session.connection, number)

    def states(self) -> list[ClusterState]:
        """How every cluster was seen last, by name."""
        with self._reading() as session:
            return clusters.states(session.connection)

    def figures(self, cluster: str) -> bytes | None:
        """What its watcher had counted when that was stored last."""
        return self._figures.load(known_by(cluster))

    def save_figures(self, cluster: str, figures: bytes) -> None:
        """Keep what its watcher has counted; it does not wait for tasks that are being written."""
        self._figures.save(known_by(cluster), figures)

    def gaps(self, cluster: str, start: float, end: float) -> list[Gap]:
        """Gaps that lie in this time or touch it, oldest first."""
        with self._reading() as session:
            number = session.numbers.cluster(cluster)
            return [] if number is None else clusters.gaps(session.connection, number, start, end)

    def get(self, cluster: str, uuids: Collection[str]) -> dict[str, Task]:
        """Those of these tasks that are known."""
        asked = {key(uuid)[0]: uuid for uuid in uuids}
        with self._reading() as session:
            number = session.numbers.cluster(cluster)
            found: dict[str, Task] = {}
            for chunk in chunks(asked) if number is not None else ():
                query = select(TASKS).where(TASKS.c.uuid.in_(chunk), TASKS.c.cluster == number)
                rows = session.connection.execute(query).all()
                tasks = Reader(session.numbers, rows).tasks()
                found |= {asked[row.uuid]: task for row, task in zip(rows, tasks, strict=True)}
            return found

    def unfinished(self, cluster: str, since: float, limit: int) -> list[Task]:
        """Tasks that have not ended and were first seen after ``since``, oldest first."""
        return self._first(cluster, TaskFilter(states=_OPEN, start=since), limit)

    def page(self, cluster: str, wanted: TaskFilter, *, after: str | None, limit: int) -> TaskPage:
        """Tasks, newest first by when they were first seen; ``after`` is where the page before ended.

        A page may have fewer tasks than asked for, and even none, and still be continued: where much had to be tried
        in vain. Raises ``ValueError`` for an ``after`` that no page gave.
        """
        before = None if after is None else _place(after)
        with self._reading() as session:
            found = scan(session, _before(self._ranges(session, cluster, wanted), before), limit)
            tasks = _loaded(session, found.ids)
        return TaskPage(tasks=tasks, after=None if found.after is None else str(found.after))

    def sorted_page(
        self, cluster: str, wanted: TaskFilter, *, by: str, descending: bool, offset: int, limit: int
    ) -> list[Task]:
        """Tasks in the order of ``name``, ``state``, ``received``, ``started``, ``runtime`` or ``updated``.

        Of more than 10,000 the newest are sorted. Tasks of which this is not known come last, equal ones newest first.
        """
        if by not in _ORDERS:
            raise ValueError(f"tasks cannot be sorted by {by}")
        with self._reading() as session:
            ids = scan(session, self._ranges(session, cluster, wanted), SORTED).ids
            values = sort_values(session.numbers, _rows(session, ids), by)
            known = sorted((id_ for id_ in ids if values[id_] is not None), key=values.__getitem__, reverse=descending)
            unknown = [id_ for id_ in ids if values[id_] is None]
            return _loaded(session, (known + unknown)[offset : offset + limit])

    def count(self, cluster: str, wanted: TaskFilter, limit: int) -> int:
        """How many tasks there are, counted up to ``limit``; a million at most are tried where no index tells."""
        found = 0
        with self._reading() as session:
            for each in self._ranges(session, cluster, wanted):
                if found < limit:
                    found += count(session, each, limit - found)
        return found

    def family(self, cluster: str, root: str, limit: int) -> list[Task]:
        """All tasks of a workflow, by when they were first seen."""
        return self._first(cluster, TaskFilter(root=root), limit)

    def children(self, cluster: str, uuids: Collection[str]) -> dict[str, list[str]]:
        """Ids of the tasks that these have started, by who started them, oldest first; 10,000 at most."""
        asked = {key(uuid)[0]: uuid for uuid in uuids}
        found: dict[str, list[str]] = {}
        with self._reading() as session:
            number = session.numbers.cluster(cluster)
            for chunk in chunks(asked) if number is not None else ():
                query = select(TASKS.c.parent, TASKS.c.uuid, TASKS.c.body).where(
                    TASKS.c.parent.in_(chunk), TASKS.c.cluster == number
                )
                rows = session.connection.execute(query.order_by(TASKS.c.id).limit(CHILDREN)).all()
                for row in rows:
                    found.setdefault(asked[row.parent], []).append(uuid_of(row.uuid, row.body))
        return found

    def names(self, cluster: str) -> list[str]:
        """Names of tasks that were seen, in order."""
        with self._reading() as session:
            number = session.numbers.cluster(cluster)
            query = select(NAMES.c.name).where(NAMES.c.cluster == number, NAMES.c.kind == NAME).order_by(NAMES.c.name)
            return [name.decode() for name in session.connection.execute(query).scalars()]

    def failures(self, cluster: str, since: float, limit: int) -> list[Failures]:
        """Failures after ``since``, grouped by name, exception and place, most first."""
        with self._reading() as session:
            number = session.numbers.cluster(cluster)
            return [] if number is None else failures(session, number, since, limit)

    def each(self, cluster: str, wanted: TaskFilter) -> Iterator[Task]:
        """All tasks that are asked for, newest first, read in portions."""
        page = self.page(cluster, wanted, after=None, limit=_PORTION)
        yield from page.tasks
        while page.after is not None:
            page = self.page(cluster, wanted, after=page.after, limit=_PORTION)
            yield from page.tasks

    def prune(self, before: float, most: int | None, limit: int) -> int:
        """Forget up to ``limit`` tasks first seen before ``before``, or beyond the newest ``most`` of a cluster."""
        with self._writing() as session:
            return prune(session, before, most, limit)

    def size(self) -> int:
        """Bytes that it takes, without what is free and used again."""
        with self._reading() as session:
            return sizes.size(session.connection, [*METADATA.tables, "task_words"]) + self._figures.size()

    def ping(self) -> None:
        """Raise ``Unavailable`` unless the database answers."""
        with self._reading() as session:
            session.connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Give connections back."""
        self._figures.close()
        self._engines.dispose()

    def _first(self, cluster: str, wanted: TaskFilter, limit: int) -> list[Task]:
        """The oldest of the tasks that are asked for, oldest first."""
        ids: list[int] = []
        with self._reading() as session:
            left = self._ranges(session, cluster, wanted)
            while len(ids) < limit:
                found = scan(session, left, limit - len(ids), newest=False)
                ids += found.ids
                if found.after is None:
                    break
                left = _beyond(left, found.after)
            return _loaded(session, ids)

    def _ranges(self, session: Session, cluster: str, wanted: TaskFilter) -> list[Range]:
        number = session.numbers.cluster(cluster)
        return [] if number is None else ranges(session, number, wanted)

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with translated(self._url):
            with self._engines.writer.begin() as connection:
                session = self._session(connection)
                yield session
            session.numbers.share()

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with translated(self._url), self._engines.reader.begin() as connection:
            session = self._session(connection)
            yield session
            session.numbers.share()

    def _session(self, connection: Connection) -> Session:
        return Session(connection, self._bulk, Numbers(connection, self._bulk, self._known), self._words)


def _place(after: str) -> int:
    if not (after.isascii() and after.isdigit() and len(after) < 20):
        raise ValueError("no page of tasks ended there")
    return int(after)


def _before(left: Sequence[Range], place: int | None) -> list[Range]:
    if place is None:
        return list(left)
    return [replace(each, span=places.Span(each.span.first, min(each.span.last, place - 1))) for each in left]


def _beyond(left: Sequence[Range], place: int) -> list[Range]:
    return [replace(each, span=places.Span(place + 1, each.span.last)) for each in left]


def _loaded(session: Session, ids: Sequence[int]) -> list[Task]:
    """The tasks with these ids, in the order of the ids."""
    rows = {row.id: row for row in _rows(session, ids)}
    return Reader(session.numbers, [rows[id_] for id_ in ids]).tasks()


def _rows(session: Session, ids: Sequence[int]) -> Iterator[Any]:
    for chunk in chunks(ids):
        yield from session.connection.execute(select(TASKS).where(TASKS.c.id.in_(chunk)))
