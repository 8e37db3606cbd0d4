"""A watched Celery cluster: its events, its queues, its workers, and what is kept of its tasks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from nightowl.core.cluster.command import Answer, Command
from nightowl.core.cluster.events import Gap, Intake
from nightowl.core.cluster.result import TaskResult
from nightowl.core.cluster.state import Broker, ClusterState, Queue
from nightowl.core.cluster.task import Failures, Order, Task, TaskFilter, TaskPage
from nightowl.ports.inbox import Inbox


class ClusterSource(Protocol):
    """A cluster's stream of events, read by one thread.

    A lost connection is made again by ``read`` itself: what was missed comes as a gap in the next intake, why in
    ``fault`` meanwhile. Nothing in a message raises.
    """

    @property
    def fault(self) -> str:
        """Why nothing can be read now (empty: it can)."""

    @property
    def silent(self) -> str:
        """Why this kind of broker never tells of any event, though nothing is wrong (empty: it does)."""

    @property
    def since(self) -> float | None:
        """Since when all that the broker tells is read, in Unix seconds (None: it is not read now).

        0 where nothing is ever missed, as what is told waits until it is read.
        """

    @property
    def sure(self) -> float | None:
        """All that was told between ``since`` and this moment has been read, in Unix seconds (None as there).

        It is some seconds old at most, unless more has piled up than was read. Infinite where nothing is ever missed.
        """

    def read(self, timeout: float) -> Intake:
        """Return what has arrived, waiting up to ``timeout`` seconds for the first of it."""

    def close(self) -> None:
        """Give the connection back."""


class ClusterControl(Protocol):
    """A cluster's remote control. It may be used by several threads at once. Raises ``Unavailable``."""

    def ask(self, command: Command, timeout: float, expected: Collection[str] = ()) -> list[Answer]:
        """Send a command; wait up to ``timeout`` seconds (0: not at all) for answers.

        Done early once all of ``command.workers``, or all ``expected`` where it goes to all, have answered. A worker of
        these that did not answer is an answer, too. Raises ``Refused`` where this kind of broker reaches no workers.
        """

    def send(self, task: str, *, args: Sequence[object], kwargs: dict[str, object], options: dict[str, object]) -> str:
        """Put a task into its queue by name, as ``Celery.send_task`` does; return its id."""

    def purge(self, queue: str) -> int:
        """Delete what waits in a queue; return how many messages that were."""


class TaskResults(Protocol):
    """A cluster's result backend, for any thread.

    Raises ``Unavailable`` while it cannot be reached, ``Refused`` for what cannot be read from it.
    """

    def get(self, task: str, timeout: float = 0.0) -> TaskResult:
        """What is known of a task's result, waiting up to ``timeout`` seconds for it to be ready."""

    def abort(self, task: str) -> None:
        """Tell an abortable task that it is to end; it does so when it looks."""


class ClusterDepth(Protocol):
    """What a broker tells of its queues and of itself, for one thread. Raises ``Unavailable``."""

    def queues(self, names: Collection[str]) -> list[Queue]:
        """How full these queues are, in their order; one that does not exist is empty."""

    def broker(self) -> Broker:
        """How the broker is."""

    def close(self) -> None:
        """Give the connection back."""


class ClusterStates(Protocol):
    """Where watchers write how their clusters are. Safe from any thread. Raises ``Unavailable``."""

    def states(self) -> list[ClusterState]:
        """How every cluster was seen last, by name."""


class TaskWriter(Protocol):
    """What writes tasks, from one thread. Raises ``Unavailable``."""

    def write(
        self,
        cluster: str,
        tasks: Sequence[Task],
        *,
        state: ClusterState | None = None,
        gaps: Sequence[Gap] = (),
    ) -> None:
        """Insert or replace tasks by their id, and what else is given, in one transaction."""


class ManyTasks(TaskWriter, Protocol):
    """What writes many tasks and leaves the interpreter to the thread that takes events in."""

    def close(self) -> None:
        """Give back what it takes. Nothing waits in it."""


class TaskStore(TaskWriter, Protocol):
    """Tasks of all clusters, and how each cluster stands. Safe from any thread. Raises ``Unavailable``."""

    @property
    def inbox(self) -> Inbox:
        """What workers pushed and no watcher has taken."""

    def writer(self) -> ManyTasks:
        """What a watcher writes with; it is to be closed."""

    def state(self, cluster: str) -> ClusterState | None:
        """How a cluster was seen last."""

    def states(self) -> list[ClusterState]:
        """How every cluster was seen last, by name."""

    def figures(self, cluster: str) -> bytes | None:
        """What its watcher had counted when that was stored last."""

    def save_figures(self, cluster: str, figures: bytes) -> None:
        """Keep what its watcher has counted; this does not wait for tasks that are being written."""

    def gaps(self, cluster: str, start: float, end: float) -> list[Gap]:
        """Gaps that lie in this time or touch it, oldest first."""

    def get(self, cluster: str, uuids: Collection[str]) -> dict[str, Task]:
        """Those of these tasks that are known."""

    def unfinished(self, cluster: str, since: float, limit: int) -> list[Task]:
        """Tasks that have not ended and were first seen after ``since``, oldest first."""

    def page(
        self, cluster: str, wanted: TaskFilter, *, after: str | None, limit: int, order: Order | None = None
    ) -> TaskPage:
        """Tasks, newest first by when they were first seen, or in another order; ``after``: where a page ended.

        Where much had to be tried in vain a page is short, or even empty, and continued all the same. In another order
        there are at most ``SORTED``, the newest when the first page was read. Raises ``ValueError`` for an order that
        there is not, and for an ``after`` that no page of this order gave.
        """

    def sorted_page(
        self, cluster: str, wanted: TaskFilter, *, by: str, descending: bool, offset: int, limit: int
    ) -> list[Task]:
        """Tasks in an order, as ``page`` has them, from the one with this number on."""

    def count(self, cluster: str, wanted: TaskFilter, limit: int) -> int:
        """How many tasks there are, counted up to ``limit``."""

    def family(self, cluster: str, root: str, limit: int) -> list[Task]:
        """All tasks of a workflow, its root among them, by when they were first seen."""

    def children(self, cluster: str, uuids: Collection[str]) -> dict[str, list[str]]:
        """Ids of the tasks that these have started, by who started them, oldest first; 10,000 at most."""

    def names(self, cluster: str) -> list[str]:
        """Names of tasks that were seen, in order."""

    def failures(self, cluster: str, since: float, limit: int) -> list[Failures]:
        """Failures after ``since``, grouped by name, exception and place, most first."""

    def each(self, cluster: str, wanted: TaskFilter) -> Iterator[Task]:
        """All tasks that are asked for, newest first, read in portions."""

    def prune(self, before: float, most: int | None, limit: int) -> int:
        """Forget up to ``limit`` tasks first seen before ``before`` (Unix seconds), or beyond the newest ``most``.

        ``most`` is of each cluster. Gaps that ended before ``before`` go, too. Returns how many tasks went.
        """

    def size(self) -> int:
        """Bytes that it takes."""

    def ping(self) -> None:
        """Raise ``Unavailable`` unless the database answers."""

    def close(self) -> None:
        """Give connections back."""
