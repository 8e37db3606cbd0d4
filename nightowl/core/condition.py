"""What a rule finds of a series at an instant: true, false or unknown, how far it is from the limit, and why."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Truth(StrEnum):
    """Whether the limit is broken. Unknown is a value: missing data is neither false nor true."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """A finding. ``value`` is the figure that was judged, ``bound`` the limit in the figure's own unit.

    ``score`` is the ratio to the limit, open-ended: 1 at the limit, more beyond it (None: no ratio makes sense).
    ``sentence`` says it to people: ``412 > 380 = median of the last 30m + 20 %``.
    """

    truth: Truth
    value: float | None = None
    bound: float | None = None
    score: float | None = None
    sentence: str = ""


def unknown(sentence: str) -> Condition:
    """A finding that nothing can be said, and why."""
    return Condition(truth=Truth.UNKNOWN, sentence=sentence)


def all_hold(truths: Iterable[Truth]) -> Truth:
    """Whether all are true: false where one is false, else unknown where one is unknown (Kleene's conjunction)."""
    found = set(truths)
    if Truth.FALSE in found:
        return Truth.FALSE
    return Truth.UNKNOWN if Truth.UNKNOWN in found else Truth.TRUE


def truth(broken: bool) -> Truth:
    """The truth of a comparison that could be made."""
    return Truth.TRUE if broken else Truth.FALSE
