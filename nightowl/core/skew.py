"""How wrong an actor's clock is, as the director learns it from the reports that reach it.

A report says when it was sent by the actor's clock. It arrives later, so that moment less the one of its arrival is
what the actor's clock is ahead, less the delivery. Delivery only ever lowers the difference: the greatest one lately
is the clock's error less the shortest delivery, usually some hundredths of a second.

Verdicts do not depend on an actor's clock; the moments at which attempts started do, and so does whether a
certificate is still valid.
"""

from __future__ import annotations

from math import inf

from msgspec.structs import replace

from nightowl.core.lately import Greatest
from nightowl.core.values import Outcome

SETTLE = 5.0
"""Seconds from an actor's first report on before its skew is told: reports that had piled up look like a slow clock."""

NOISE = 0.25
"""Seconds of skew that are as likely delivery; moments are left as they are."""

MARKED = 2.0
"""Seconds of skew from which on an actor is marked."""

WRONG = 30.0
"""Seconds of skew that are a fault of NightOwl's own."""


class Skew:
    """Estimates by how many seconds an actor's clock is fast (negative: slow)."""

    def __init__(self) -> None:
        self._first = inf
        self._offset = Greatest()

    def hear(self, sent: float, received: float) -> None:
        """Note that a report sent at ``sent`` (actor's clock) arrived at ``received`` (director time)."""
        self._first = min(self._first, received)
        self._offset.hear(sent - received, received)

    def told(self, now: float) -> float | None:
        """Return the skew in seconds; None until enough has been heard."""
        return self._offset.value if now - self._first >= SETTLE else None


def corrected(outcome: Outcome, skew: float | None) -> Outcome:
    """Return an outcome whose attempts started at moments of director time, as far as ``skew`` is known to matter."""
    if skew is None or abs(skew) < NOISE:
        return outcome
    attempts = tuple(replace(attempt, started=attempt.started - skew) for attempt in outcome.attempts)
    return replace(outcome, attempts=attempts)
