"""The store of tasks as a whole."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import URL, Connection, select, text

from nightowl.adapters.store_sql import sizes
from nightowl.adapters.store_sql.bulk import Bulk
from nightowl.adapters.store_sql.engines import Engines, is_in_memory
from nightowl.adapters.store_sql.failures import translated
from nightowl.adapters.store_sql.figures import SqlFigures
from nightowl.adapters.store_sql.tasks import clusters, sorting, writing
from nightowl.adapters.store_sql.tasks.chunks import chunks
from nightowl.adapters.store_sql.tasks.failures import failures
from nightowl.adapters.store_sql.tasks.inbox import SqlInbox
from nightowl.adapters.store_sql.tasks.numbers import Known, Numbers, known_by
from nightowl.adapters.store_sql.tasks.pruning import prune
from nightowl.adapters.store_sql.tasks.rows import Reader, key, uuid_of
from nightowl.adapters.store_sql.tasks.scanning import count, scan, stored
from nightowl.adapters.store_sql.tasks.schema import METADATA, NAME, NAMES, TASKS
from nightowl.adapters.store_sql.tasks.selection import Range, before, beyond, ranges
from nightowl.adapters.store_sql.tasks.session import Session
from nightowl.adapters.store_sql.tasks.word_index import word_index
from nightowl.adapters.store_sql.tasks.writer import Writer
from nightowl.core.cluster.events import Gap
from nightowl.core.cluster.state import ClusterState
from nightowl.core.cluster.task import ENDED, Failures, Order, Task, TaskFilter, TaskPage, TaskState

CHILDREN = 10_000
"""Tasks that were started by those asked for, of each portion of them."""

_PORTION = 1_000
_OPEN = tuple(state.value for state in TaskState if state not in ENDED)


class SqlTasks:
    """See ``ports.clusters.TaskStore``. Made by ``open_tasks``."""

    def __init__(self, url: URL, engines: Engines, figures: SqlFigures, opened: str) -> None:
        """``opened`` is the store's URL by which it was opened."""
        self._url = url
        self._opened = opened
        self._engines = engines
        self._figures = figures
        self._bulk = Bulk(engines.writer.dialect)
        self._words = word_index(engines.writer.dialect)
        self._known = Known()
        self.inbox = SqlInbox(self._writing, self._reading)

    def write(
        self,
        cluster: str,
        tasks: Sequence[Task],
        *,
        state: ClusterState | None = None,
        gaps: Sequence[Gap] = (),
        confirm: Callable[[], None] | None = None,
    ) -> None:
        """Insert or replace tasks by their id, and what else is given, in one transaction.

        ``confirm`` is called when all is ready to be committed, and nothing is if it raises.
        """
        with self._writing() as session:
            number = session.numbers.held_cluster(cluster)
            writing.write(session, number, tasks)
            clusters.write(session, number, state)
            clusters.add_gaps(session, number, gaps)
            if confirm is not None:
                confirm()

    def writer(self) -> Writer:
        """What writes many tasks beside a busy thread, for one thread; it is to be closed."""
        return Writer(self, None if is_in_memory(self._url) else self._opened)

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

    def page(
        self, cluster: str, wanted: TaskFilter, *, after: str | None, limit: int, order: Order | None = None
    ) -> TaskPage:
        """Tasks, newest first by when they were first seen, or in another order; ``after``: where a page ended.

        A page may have fewer tasks than asked for, and even none, and still be continued: where much had to be tried
        in vain. In another order there are at most ``SORTED``, the newest when the first page was read. Raises
        ``ValueError`` for an ``after`` that no page of this order gave.
        """
        if order is not None:
            return self._sorted_page(cluster, wanted, order, after, limit)
        end = None if after is None else _place(after)
        with self._reading() as session:
            left = self._ranges(session, cluster, wanted)
            found = scan(session, left if end is None else before(left, end), limit)
            tasks = _loaded(session, found.ids)
        return TaskPage(tasks=tasks, after=None if found.after is None else str(found.after))

    def _sorted_page(self, cluster: str, wanted: TaskFilter, order: Order, after: str | None, limit: int) -> TaskPage:
        place = None if after is None else sorting.place_of(after, order)
        with self._reading() as session:
            left = self._ranges(session, cluster, wanted)
            found = sorting.ranked(session, left if place is None else before(left, place.newest + 1), order)
            newest = max((id_ for _, id_ in found), default=0) if place is None else place.newest
            rest = found if place is None else sorting.behind(found, place)
            tasks = _loaded(session, [id_ for _, id_ in rest[:limit]])
        ends = len(rest) <= limit
        return TaskPage(tasks=tasks, after=None if ends else sorting.Place(*order, newest, *rest[limit - 1]).told())

    def sorted_page(
        self, cluster: str, wanted: TaskFilter, *, by: str, descending: bool, offset: int, limit: int
    ) -> list[Task]:
        """Tasks in an order, as ``page`` has them, from the one with this number on."""
        with self._reading() as session:
            found = sorting.ranked(session, self._ranges(session, cluster, wanted), Order(by, descending))
            return _loaded(session, [id_ for _, id_ in found[offset : offset + limit]])

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
                left = beyond(left, found.after)
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


def _loaded(session: Session, ids: Sequence[int]) -> list[Task]:
    """The tasks with these ids, in the order of the ids."""
    rows = {row.id: row for row in stored(session, ids)}
    return Reader(session.numbers, [rows[id_] for id_ in ids]).tasks()
