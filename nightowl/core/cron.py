"""Moments of cron expressions, in the meaning of Debian's cron, also where clocks are put forward or back.

A job at a fixed time that the clock skips in spring is due when the skipped hour is over; one whose time comes twice
in autumn is due once, the first time. Jobs whose minute or hour is ``*`` follow the clock on the wall.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

LONGEST = 200
"""Characters that an expression may have."""


def moments(expression: str, timezone: str, after: float) -> Iterator[float]:
    """Yield the moments (Unix seconds) later than ``after``, each later than the one before.

    Raises ``ValueError`` for an expression or a time zone that is none.
    """
    last = after
    for moment in _simulation(expression, timezone, after):
        # within the doubled hour of autumn the wall clock alone would lead back into its first pass
        if moment.timestamp() > last:
            last = moment.timestamp()
            yield last


def is_expression(text: str) -> bool:
    """Whether ``text`` has five fields that cron takes, and a moment at all."""
    try:
        next(moments(text, "UTC", 0.0))
    except (ValueError, StopIteration):
        return False
    return True


def is_timezone(name: str) -> bool:
    """Whether ``name`` is one of the IANA time zone database, as this machine has it."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def in_words(expression: str) -> str:
    """Say when it is due: ``At 03:00 every day``."""
    words: str = CronSim(expression, datetime.fromtimestamp(0, ZoneInfo("UTC"))).explain()
    return words


def _simulation(expression: str, timezone: str, after: float) -> CronSim:
    if len(expression) > LONGEST or len(expression.split()) != 5:
        raise ValueError(expression)
    try:
        return CronSim(expression, datetime.fromtimestamp(after, ZoneInfo(timezone)))
    except (CronSimError, ZoneInfoNotFoundError) as error:
        raise ValueError(expression) from error
