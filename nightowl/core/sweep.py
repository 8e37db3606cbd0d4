"""A sweep: all portions of one instant, on their way to evaluators and back.

What was sent and is neither reported nor held by an evaluator that lives is lost, and is sent again as long as the
instant is current. Only the first result of a portion counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from nightowl.core.portions import PortionBatch, PortionReport, PortionResult

PATIENCE = 3.0
"""Seconds after which a batch is lost that nobody holds or reports."""


class Sweep:
    """The sweep of the instant ``at`` in the term ``epoch``."""

    def __init__(self, at: float, epoch: int) -> None:
        self.at = at
        self.epoch = epoch
        self._under_way: dict[str, tuple[PortionBatch, float]] = {}
        self._waiting: dict[tuple[str, str], str] = {}

    @property
    def missing(self) -> int:
        """Portions without a result."""
        return len(self._waiting)

    def sent(self, batch: PortionBatch, now: float) -> None:
        """Note that a batch was sent at ``now``, be it once more."""
        if batch.id not in self._under_way:
            self._waiting |= {portion.key: batch.id for portion in batch.portions}
        self._under_way[batch.id] = (batch, now)

    def take(self, report: PortionReport) -> list[PortionResult]:
        """Return the results that count: of this instant and term, of a portion that has none yet."""
        if (report.at, report.epoch) != (self.at, self.epoch):
            return []
        fresh = [each for each in report.results if self._waiting.get(each.key) == report.batch]
        found = {each.key: each for each in reversed(fresh)}
        for key in found:
            del self._waiting[key]
        if fresh and report.batch not in self._waiting.values():
            self._under_way.pop(report.batch, None)
        return list(found.values())

    def lost(self, now: float, held: Collection[str]) -> Iterable[PortionBatch]:
        """Return what is to be sent again; ``held`` are the batches that living evaluators have."""
        return [
            batch
            for batch, sent in self._under_way.values()
            if batch.id not in held and not 0 <= now - sent <= PATIENCE
        ]
