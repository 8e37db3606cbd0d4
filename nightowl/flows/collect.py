"""Collect: take reports from the bus and sort their outcomes, to be stored in one transaction with what follows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from nightowl.core.flight import Flights, Refusal
from nightowl.core.values import Outcome
from nightowl.ports import Delivery, Unit


class Intake:
    """Outcomes and deliveries that wait to be stored; the bus keeps what is not marked done.

    ``refused`` counts the results that were not taken in, by reason.
    """

    def __init__(self) -> None:
        self.votes: list[Outcome] = []
        self.late: list[Outcome] = []
        self.refused: Counter[Refusal] = Counter()
        self._deliveries: list[Delivery] = []

    def __len__(self) -> int:
        return len(self._deliveries)

    def take(self, deliveries: Sequence[Delivery], flights: Flights, now: float) -> None:
        """Sort the outcomes of reports that arrived at ``now`` (director time)."""
        for delivery in deliveries:
            found = flights.heard(delivery.report, now, alive=delivery.fresh)
            self.votes.extend(found.votes)
            self.late.extend(found.late)
            self.refused.update(found.refused)
            self._deliveries.append(delivery)

    def store(self, unit: Unit) -> None:
        """Write all outcomes; the same outcome twice has no effect."""
        if self.votes:
            unit.rounds.add_outcomes(self.votes)
        if self.late:
            unit.rounds.add_outcomes(self.late, late=True)

    def stored(self) -> int:
        """After the commit: let the bus forget the reports. Return how many outcomes were late."""
        late = len(self.late)
        for delivery in self._deliveries:
            delivery.done()
        self.votes.clear()
        self.late.clear()
        self.refused.clear()
        self._deliveries.clear()
        return late
