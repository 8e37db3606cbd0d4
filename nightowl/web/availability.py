"""How much of the time a check was good."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nightowl.core.values import DayCount

DAY = 86400.0

DAYS = 90
"""Days that a check's page looks back."""

SPANS = (1, 7, 30, DAYS)
"""The spans that are told, in days."""


class Availability(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the rounds that could be judged were good, over some UTC days.

    ``since`` is the first of the days that has any round (None: none has), counted since the Unix epoch;
    ``telling``: there are rounds from at least half of the span.
    """

    days: int
    good: int
    judged: int
    since: int | None
    telling: bool


def availability(days: Sequence[DayCount], today: int, length: int) -> Availability:
    """Count the rounds of the last ``length`` days, ``today`` included (days since the Unix epoch)."""
    counted = [day for day in days if day.day > today - length]
    good = sum(day.up + day.degraded for day in counted)
    since = min((day.day for day in counted), default=None)
    return Availability(
        days=length,
        good=good,
        judged=good + sum(day.down for day in counted),
        since=since,
        telling=since is not None and 2 * (today - since + 1) >= length,
    )
