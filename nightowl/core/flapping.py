"""Flapping: a subject whose incidents open and end again and again.

The formula is that of Nagios (https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/flapping.html): the
share of state changes over the last 20 possible ones, the oldest of them weighing 0.8, the newest 1.2, and those
between in line. It begins at 50 % and ends below 25 %. A change is possible once a *slot*: a round of a check.

Everything follows from the moments at which incidents opened and ended, so nothing has to be kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from math import floor

from nightowl.core.values import Incident

POSSIBLE = 20
"""Changes that are possible within what is looked at."""

START = 0.5
STOP = 0.25
"""Shares at which flapping begins and below which it ends."""

HORIZON = 120
"""Slots that are looked back: what happened before cannot have kept a subject flapping by itself."""

_WEIGHTS = [0.8 + 0.4 * place / (POSSIBLE - 1) for place in range(POSSIBLE)]
"""Oldest first; they add up to ``POSSIBLE``."""


def moments(incidents: Iterable[Incident]) -> Iterator[float]:
    """The moments at which incidents opened and ended."""
    for incident in incidents:
        yield incident.opened
        if incident.resolved is not None:
            yield incident.resolved


def share(changed: Collection[int], slot: int) -> float:
    """The weighted share of the slots up to ``slot`` that are among those that ``changed``."""
    first = slot - POSSIBLE + 1
    return sum(weight for place, weight in enumerate(_WEIGHTS) if first + place in changed) / POSSIBLE


def flapping(changes: Iterable[float], now: float, slot: float) -> float | None:
    """Return the share of changes where a subject flaps at ``now`` (None: it does not).

    ``changes`` are moments up to ``now`` and ``slot`` is seconds; slots begin at multiples of it, so that the answer
    is the same whoever asks.
    """
    current = floor(now / slot)
    changed = {floor(moment / slot) for moment in changes if moment <= now}
    changed = {number for number in changed if number > current - HORIZON}
    if len(changed) < POSSIBLE * STOP:
        return None
    flaps, last = False, 0.0
    for number in range(min(changed), current + 1):
        last = share(changed, number)
        flaps = last >= (STOP if flaps else START)
    return last if flaps else None
