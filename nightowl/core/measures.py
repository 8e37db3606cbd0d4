"""From what was seen to samples of series."""

from __future__ import annotations

from collections.abc import Iterator

from nightowl.core.values import Outcome, Phases, Sample, State

OF_CHECKS = ("check_up", "check_duration_seconds")
"""The metrics that outcomes are samples of."""

_PHASES = tuple(sorted(Phases.__struct_fields__))


def of_outcome(outcome: Outcome) -> Iterator[Sample]:
    """``check_up`` and ``check_duration_seconds`` at the round's due moment; an unknown outcome measured nothing."""
    kept = outcome.figure
    if outcome.state is State.UNKNOWN or kept is None:
        return
    labels = (("check", outcome.check), ("location", outcome.location))
    good = outcome.state in (State.UP, State.DEGRADED)
    yield Sample("check_up", labels, outcome.due, 1.0 if good else 0.0)
    yield Sample("check_duration_seconds", (*labels, ("phase", "total")), outcome.due, kept.duration)
    for phase in _PHASES:
        seconds = getattr(kept.phases, phase)
        if seconds is not None:
            yield Sample("check_duration_seconds", (*labels, ("phase", phase)), outcome.due, seconds)
