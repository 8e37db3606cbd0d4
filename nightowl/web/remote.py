"""What pages and API can ask of a watched cluster, and do to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from nightowl.core.cluster.command import Answer, Command
from nightowl.core.cluster.result import TaskResult
from nightowl.core.values import Author, Role


class Who(msgspec.Struct, frozen=True):
    """Who acts: as whom the audit names them, and what they may do."""

    author: Author
    role: Role


class Remote(Protocol):
    """What can be asked of a cluster, and done to it. What is done is permitted, bounded and written to the audit.

    Raises ``Refused``, ``ConfigurationError`` for arguments, ``Unavailable``.
    """

    @property
    def has_results(self) -> bool:
        """Whether a result backend is known."""

    def tasks(self) -> Collection[str]:
        """Names of tasks that can be called by name: those of the app, else those that workers have registered."""

    def look(self, command: Command, timeout: float, expected: Collection[str] = ()) -> list[Answer]:
        """Send a command that changes nothing, and return the answers."""

    def act(
        self, command: str, arguments: Mapping[str, Any], workers: Sequence[str], who: Who, timeout: float
    ) -> list[Answer]:
        """Send a command, confirmed, and return the answers."""

    def send(
        self, task: str, args: Sequence[Any], kwargs: Mapping[str, Any], options: Mapping[str, Any], who: Who
    ) -> str:
        """Send a task, and return its id."""

    def result(self, task: str) -> TaskResult:
        """What is known of a task's result now."""

    def abort(self, task: str, who: Who) -> None:
        """Ask an abortable task to end."""

    def queue_objects(self) -> list[dict[str, Any]] | None:
        """All queues as RabbitMQ's management API describes them; None where there is none that can be asked."""
