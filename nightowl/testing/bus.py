"""A bus of lists, and an actor without a network: every flow in one thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nightowl.core import attempts
from nightowl.core.errors import BusUnavailable
from nightowl.core.portions import PortionBatch, PortionReport
from nightowl.core.values import Attempt, Batch, Job, Outcome, Report


class ListedDelivery:
    """A report that a test put on the bus; ``stored`` once it was marked done."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.fresh = True
        self.stored = False

    def done(self) -> None:
        """Note that it is stored."""
        self.stored = True


class ListBus:
    """Keeps dispatched batches in ``sent`` and gives out what was put into ``arriving``. ``away``: refuse batches.

    ``asked`` and ``telling`` are the same of evaluators.

    ``refused`` has when a report of a location was last sealed with another key.
    """

    def __init__(self) -> None:
        self.sent: list[Batch] = []
        self.arriving: list[ListedDelivery] = []
        self.away = False
        self.refused: dict[str, float] = {}
        self.asked: list[PortionBatch] = []
        self.telling: list[PortionReport] = []

    def dispatch(self, batch: Batch) -> None:
        """Keep a batch."""
        if self.away:
            raise BusUnavailable("the broker is away, by the test's wish")
        self.sent.append(batch)

    def receive(self, limit: int) -> Sequence[ListedDelivery]:
        """Give out reports in order."""
        taken, self.arriving = self.arriving[:limit], self.arriving[limit:]
        return taken

    def backlog(self, location: str) -> int | None:
        """Batches sent to a location and not taken by ``answer``."""
        return sum(batch.location == location for batch in self.sent)

    def foreign(self, location: str) -> float | None:
        """When a test said that such a report was refused."""
        return self.refused.get(location)

    def reachable(self, location: str) -> bool:  # noqa: ARG002 - the port's argument; here is one broker for all
        """Whether the bus is not away."""
        return not self.away

    def ask(self, batch: PortionBatch) -> None:
        """Keep a batch for evaluators."""
        if self.away:
            raise BusUnavailable("the broker is away, by the test's wish")
        self.asked.append(batch)

    def told(self, limit: int) -> Sequence[PortionReport]:
        """Give out reports of evaluators in order."""
        taken, self.telling = self.telling[:limit], self.telling[limit:]
        return taken

    def report(self, report: Report) -> ListedDelivery:
        """Put a report on its way to the director."""
        delivery = ListedDelivery(report)
        self.arriving.append(delivery)
        return delivery


Script = Callable[[str, Job], Attempt]
"""What an attempt of a job at a location gives."""


def answer(bus: ListBus, script: Script, actor: str = "actor") -> list[Outcome]:
    """Take every batch on the bus, make each job's attempts by the script, and report; return the outcomes."""
    batches, bus.sent = bus.sent, []
    outcomes: list[Outcome] = []
    for batch in batches:
        found = tuple(_perform(job, batch.location, script, actor) for job in batch.jobs)
        bus.report(Report(actor=actor, location=batch.location, sent=batch.issued, taken=(batch.id,), outcomes=found))
        outcomes.extend(found)
    return outcomes


def _perform(job: Job, location: str, script: Script, actor: str) -> Outcome:
    made: list[Attempt] = []
    while attempts.next_attempt(job, made, job.due) is not None:
        made.append(script(location, job))
    return attempts.outcome(job, location, made, actor)
