"""The bus between director, actors and evaluators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from nightowl.core.portions import PortionBatch, PortionReport
from nightowl.core.values import (
    Batch,
    Report,
)


class Delivery(Protocol):
    """A report taken from the bus. Until ``done`` is called the bus still holds it and may deliver it again."""

    @property
    def report(self) -> Report:
        """What the actor said."""

    @property
    def fresh(self) -> bool:
        """Whether it was said just now. An old report brings outcomes, but is no sign of life: it may be a copy."""

    def done(self) -> None:
        """Tell the bus that the report is stored."""


class Bus(Protocol):
    """The director's side: batches out, reports in."""

    def dispatch(self, batch: Batch) -> None:
        """Put a batch into its location's queue."""

    def receive(self, limit: int) -> Sequence[Delivery]:
        """Take up to ``limit`` reports that have arrived, without waiting; garbage is counted and dropped."""

    def backlog(self, location: str) -> int | None:
        """How many messages wait in the location's queue (None: the broker does not tell)."""

    def foreign(self, location: str) -> float | None:
        """When a report of the location was last refused as sealed with another key (director time; None: never)."""

    def reachable(self, location: str) -> bool:
        """Whether the location's broker answers now, as far as is known; otherwise nobody there can be heard."""

    def ask(self, batch: PortionBatch) -> None:
        """Put a batch into the queue of evaluators."""

    def told(self, limit: int) -> Sequence[PortionReport]:
        """Take up to ``limit`` reports of evaluators, without waiting; the bus forgets them."""


class ReportBus(Protocol):
    """The actor's side: reports out. Batches come in as Celery tasks."""

    def report(self, report: Report) -> None:
        """Put a report into the results queue."""
