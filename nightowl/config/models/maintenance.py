"""``[maintenance.NAME]``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from nightowl.config.fields import ClockTime, Line, Seconds, Shape, TimeZone, refuse
from nightowl.config.models.table import Table
from nightowl.core.maintenance import rule_problem

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Monday first."""

_LONGEST = 31 * 86400.0


def _rrule(found: str) -> str:
    if problem := rule_problem(found):
        raise refuse(problem)
    return found


class Maintenance(Table):
    """Windows in which incidents open without a word: planned work. What ends is told as always."""

    days: Annotated[list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]], Shape("list of weekdays")] = Field(
        default_factory=list
    )
    """The weekdays on which a window begins: `["tue", "thu"]`. Either this or `rrule`."""
    rrule: Annotated[Line, AfterValidator(_rrule), Shape("recurrence rule")] | None = None
    """The days as a recurrence rule (RFC 5545), `"FREQ=MONTHLY;BYDAY=2SU"`: `DAILY` to `YEARLY`, without parts for \
the time of the day. An `INTERVAL` or a `COUNT` begins on Monday, 1 January 2024."""
    start: ClockTime
    """When on the day it begins, by the clock on the wall: `"22:00"`."""
    duration: Annotated[float, Seconds(at_least=60, at_most=_LONGEST)]
    """How long it lasts, in elapsed time."""
    timezone: TimeZone = "UTC"
    """Where the clock on the wall is, such as `"Europe/Paris"`."""
    match: Annotated[dict[str, str], Shape("table of name to pattern")] = Field(default_factory=dict)
    """Which incidents are meant, as a route's `match`. Empty: all."""
