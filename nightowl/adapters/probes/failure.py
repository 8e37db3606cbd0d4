"""How a probe says why an attempt failed, before an attempt has been made of it."""

from __future__ import annotations

from nightowl.core.values import Attempt, Phases, State

OVERDUE = "own.overdue"
BUSY = "own.busy"
FAULT = "own.fault"
STOPPED = "own.stopped"
TARGET = "own.target"


class Failure(Exception):
    """An attempt that failed: ``reason`` is ``class.detail`` of ``docs/reasons.md``, ``detail`` a sentence for people.

    ``phases`` and ``address`` say how far it came.
    """

    def __init__(self, reason: str, detail: str, *, phases: Phases | None = None, address: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.phases = phases or Phases()
        self.address = address


def state_of(reason: str) -> State:
    """What a failed attempt says of its target: a fault of our own says nothing."""
    return State.UNKNOWN if reason.startswith("own.") else State.DOWN


def failed(failure: Failure, *, started: float, duration: float) -> Attempt:
    """The attempt that ended with ``failure``; ``started`` in Unix seconds."""
    return Attempt(
        state=state_of(failure.reason),
        started=started,
        duration=duration,
        phases=failure.phases,
        address=failure.address,
        reason=failure.reason,
        detail=failure.detail,
    )
