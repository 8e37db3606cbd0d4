"""The leader's own figures, as samples: rounds by verdict, rounds missed, lateness, queue lengths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import quantiles

from nightowl.core.values import Outcome, Sample, State, Verdict


class Figures:
    """Counts since this process leads, and how late the attempts of the last interval started (seconds)."""

    def __init__(self) -> None:
        self.verdicts: Counter[State] = Counter()
        self.missed = 0
        self.late = 0
        self.resent = 0
        self._lateness: list[float] = []

    def closed(self, verdicts: Iterable[Verdict]) -> None:
        """Count closed rounds."""
        self.verdicts.update(verdict.state for verdict in verdicts)

    def started(self, outcomes: Iterable[Outcome]) -> None:
        """Note how long after its due moment each outcome's first attempt started."""
        self._lateness.extend(each.attempts[0].started - each.due for each in outcomes if each.attempts)

    def samples(self, now: float, backlog: Mapping[str, int], outbox_oldest: float | None) -> list[Sample]:
        """Return the figures at ``now`` and begin a new interval. ``backlog`` is messages by queue name."""
        found = self.totals(now)
        found.append(Sample("nightowl_outbox_oldest_seconds", (), now, now - outbox_oldest if outbox_oldest else 0.0))
        found += [Sample("nightowl_queue_length", (("queue", name),), now, count) for name, count in backlog.items()]
        found += _lateness_samples(self._lateness, now)
        self._lateness.clear()
        return found

    def totals(self, now: float) -> list[Sample]:
        """Return the counts alone."""
        rounds = [Sample("nightowl_rounds_total", (("verdict", state),), now, self.verdicts[state]) for state in State]
        return [
            *rounds,
            Sample("nightowl_rounds_missed_total", (), now, self.missed),
            Sample("nightowl_outcomes_late_total", (), now, self.late),
            Sample("nightowl_jobs_resent_total", (), now, self.resent),
        ]


def _lateness_samples(lateness: Sequence[float], now: float) -> list[Sample]:
    if len(lateness) < 2:
        return []
    cuts = quantiles(lateness, n=100)
    return [Sample("nightowl_lateness_seconds", (("quantile", name),), now, cuts[cut]) for name, cut in _QUANTILES]


_QUANTILES = (("0.5", 49), ("0.99", 98))
