"""What pages and API can ask of a watched cluster, and do to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from nightowl.core.cluster.command import Answer, Command
from nightowl.core.cluster.person import Many, Person
from nightowl.core.cluster.result import TaskResult
from nightowl.core.cluster.task import TaskFilter


class Remote(Protocol):
    """What can be asked of a cluster, and done to it. What is done is permitted, bounded and written to the audit.

    ``Forbidden``, ``Unconfirmed`` and ``Refused`` say what is not done, ``ConfigurationError`` what is wrong with the
    arguments, ``NotFound`` what there is not, ``Unavailable`` that broker, backend or store is away. Any thread may
    call it.
    """

    @property
    def has_results(self) -> bool:
        """Whether a result backend is known."""

    def tasks(self) -> Collection[str]:
        """Names of tasks that can be called by name: those of the app, else those that workers have registered."""

    def look(self, command: Command, timeout: float, expected: Collection[str] = ()) -> list[Answer]:
        """Send a command that changes nothing, and return the answers."""

    def command(
        self,
        by: Person,
        name: str,
        given: Mapping[str, Any],
        workers: Sequence[str] = (),
        *,
        confirmed: bool = False,
        timeout: float = 1.0,
    ) -> list[Answer]:
        """Send a command to these workers (none: to all); return their answers within ``timeout`` seconds."""

    def send(
        self, by: Person, task: str, args: Sequence[Any], kwargs: Mapping[str, Any], options: Mapping[str, Any]
    ) -> str:
        """Put a task into its queue by name; return its id."""

    def result(self, task: str) -> TaskResult:
        """What is known of a task's result now."""

    def abort(self, by: Person, task: str) -> None:
        """Ask an abortable task to end by itself."""

    def retry(self, by: Person, task: str) -> str:
        """Send a task again with its arguments, to its queue; return the new id."""

    def run(self, by: Person, entry: str) -> str:
        """Send the task of a beat entry now; return its id."""

    def revoke_many(
        self, by: Person, wanted: TaskFilter, *, confirmed: int | None, terminate: bool = False, signal: str = "SIGTERM"
    ) -> Many:
        """Revoke what a filter finds that has not ended. Without ``confirmed``, ``Unconfirmed`` tells the count."""

    def retry_many(self, by: Person, wanted: TaskFilter, *, confirmed: int | None) -> Many:
        """Send again what a filter finds that has failed. Without ``confirmed``, ``Unconfirmed`` tells the count."""

    def purge(self, by: Person, queue: str, *, confirmed: bool) -> int:
        """Delete what waits in a queue; return how many messages. Not confirmed, ``Unconfirmed`` tells the count."""

    def queue_objects(self) -> list[dict[str, Any]] | None:
        """All queues as RabbitMQ's management API describes them; None where there is none that can be asked."""
