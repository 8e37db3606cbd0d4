"""The leader's own figures, as samples: rounds by verdict, rounds missed, lateness, queue lengths."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from statistics import quantiles

from nightowl.core.flight import REFUSALS, OpenRound
from nightowl.core.values import Sample, State, Verdict

ODD = 3600.0
"""Seconds from a round's due moment beyond which a start is not one that was measured by a clock that is right."""

LATELY = 300.0
"""Seconds over which the spread of rounds is told."""

_MOST = 5000


class Figures:
    """Counts since this process leads (``missed``: ever), and when the first attempts of rounds started.

    ``evaluation`` is the seconds that the last evaluation of all rules took (None: there was none).
    Lateness (seconds after the due moment) is that of the last interval; spread (seconds from the first location's
    start to the last one's) that of the rounds lately, as few rounds have several locations.
    """

    def __init__(self) -> None:
        self.verdicts: Counter[State] = Counter()
        self.refused: Counter[str] = Counter()
        self.missed = 0
        self.late = 0
        self.resent = 0
        self.evaluation: float | None = None
        self._lateness: list[float] = []
        self._spread: deque[tuple[float, float]] = deque(maxlen=_MOST)

    def closed(self, verdicts: Iterable[Verdict]) -> None:
        """Count closed rounds."""
        self.verdicts.update(verdict.state for verdict in verdicts)

    def started(self, rounds: Iterable[OpenRound], now: float) -> None:
        """Note when each location of these rounds, closed at ``now``, made its first attempt."""
        for opened in rounds:
            after = [start - opened.round.due for start in opened.started.values()]
            after = [seconds for seconds in after if abs(seconds) <= ODD]
            self._lateness.extend(after)
            if len(after) > 1:
                self._spread.append((now, max(after) - min(after)))

    def samples(self, now: float, backlog: Mapping[str, int], outbox_oldest: float | None) -> list[Sample]:
        """Return the figures at ``now`` and begin a new interval. ``backlog`` is messages by queue name."""
        found = self.totals(now)
        found.append(Sample("nightowl_outbox_oldest_seconds", (), now, now - outbox_oldest if outbox_oldest else 0.0))
        found += [Sample("nightowl_queue_length", (("queue", name),), now, count) for name, count in backlog.items()]
        if self.evaluation is not None:
            found.append(Sample("nightowl_evaluation_seconds", (), now, self.evaluation))
        found += _quantiles("nightowl_lateness_seconds", self._lateness, ("0.5", "0.99"), now)
        self._lateness.clear()
        spread = [seconds for closed, seconds in self._spread if now - closed <= LATELY]
        found += _quantiles("nightowl_round_spread_seconds", spread, ("0.5", "0.95"), now)
        return found

    def totals(self, now: float) -> list[Sample]:
        """Return the counts alone."""
        refused = [
            Sample("nightowl_results_refused_total", (("reason", why),), now, self.refused[why]) for why in REFUSALS
        ]
        rounds = [Sample("nightowl_rounds_total", (("verdict", state),), now, self.verdicts[state]) for state in State]
        return [
            *rounds,
            *refused,
            Sample("nightowl_rounds_missed_total", (), now, self.missed),
            Sample("nightowl_outcomes_late_total", (), now, self.late),
            Sample("nightowl_jobs_resent_total", (), now, self.resent),
        ]


def _quantiles(metric: str, values: Sequence[float], wanted: Sequence[str], now: float) -> list[Sample]:
    if len(values) < 2:
        return []
    cuts = quantiles(values, n=100, method="inclusive")
    return [Sample(metric, (("quantile", name),), now, cuts[round(float(name) * 100) - 1]) for name in wanted]
