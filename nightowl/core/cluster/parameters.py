"""What a parameter of a command may be. Each check returns the value as Celery takes it, or raises ``ValueError``.

The error's text is what would have been accepted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

Check = Callable[[Any], Any]

LONGEST_NAME = 255
"""Bytes of a name: what AMQP has room for."""

MOST_IDS = 1000
"""Tasks that one command names."""

MOST_PROCESSES = 1000
"""Processes (or threads) that one command adds, takes away or allows."""

LONGEST_LIMIT = 30 * 86400.0
"""Seconds of a time limit at most."""

SIGNALS = ("SIGTERM", "SIGKILL", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2")
"""Signals that a task's process may be ended by. Celery itself takes SIGUSR1 for a soft time limit."""

_RATE = re.compile(r"\d{1,9}(\.\d{1,9})?(/[smh])?")
_WHOLE = re.compile(r"-?\d{1,9}")
_TRUE = frozenset({"1", "true", "yes", "y", "t", "on"})
_FALSE = frozenset({"0", "false", "no", "n", "f", "off", ""})


class Parameter(msgspec.Struct, frozen=True):
    """A parameter: by what name people know it, and what it may be.

    ``wire`` is Celery's name for it where that differs. One that is not required and not given is not sent.
    """

    name: str
    check: Check
    required: bool = True
    wire: str = ""


def whole(low: int, high: int) -> Check:
    """A whole number within bounds, also as text."""

    def check(value: Any) -> int:
        if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return check


def seconds(value: Any) -> float | None:
    """A span above zero in seconds, also as text; None or empty: none."""
    if value is None or value == "":
        return None
    allowed = f"seconds above 0, up to {LONGEST_LIMIT:.0f}"
    try:
        number = float(str(value))
    except ValueError:
        raise ValueError(allowed) from None
    if not math.isfinite(number) or not 0 < number <= LONGEST_LIMIT:
        raise ValueError(allowed)
    return number


def delay(value: Any) -> float:
    """A span in seconds, also as text, that may be zero."""
    return 0.0 if value in (0, "0") else seconds(value) or 0.0


def moment(value: Any) -> str:
    """A moment as ISO 8601 has it; one without a time zone is UTC's, as Celery takes it."""
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError('a moment such as "2026-01-31T12:00:00+00:00"') from None
    return str(value)


def moment_or_span(value: Any) -> str | float:
    """A moment, or a span from now in seconds."""
    try:
        return moment(value)
    except ValueError:
        pass
    try:
        return seconds(value) or 0.0
    except ValueError as error:
        raise ValueError(f"a moment as ISO 8601 has it, or {error}") from None


def flag(value: Any) -> bool:
    """True or false, also as a form writes it."""
    text = str(value).strip().lower()
    if text not in _TRUE | _FALSE:
        raise ValueError("true or false")
    return text in _TRUE


def name(value: Any) -> str:
    """A name of a queue, a task or a worker, exactly as it is: nothing in it is escaped."""
    if not isinstance(value, str) or not 0 < len(value.encode(errors="replace")) <= LONGEST_NAME or "\0" in value:
        raise ValueError(f"a name of 1 to {LONGEST_NAME} bytes")
    return value


def names(value: Any) -> list[str]:
    """One id of a task, or a list of them."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple)) or not 0 < len(listed) <= MOST_IDS:
        raise ValueError(f"1 to {MOST_IDS} ids of tasks")
    return [name(each) for each in listed]


def rate(value: Any) -> str:
    """A rate limit as Celery writes it: ``10``, ``10/s``, ``100/m``, ``0.5/h``; ``0``: no limit."""
    text = str(value).strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
    if not _RATE.fullmatch(text):
        raise ValueError('a rate such as "10/s", "100/m" or "0.5/h" (0: no limit)')
    return text


def signal(value: Any) -> str:
    """A signal by its name."""
    if value not in SIGNALS:
        raise ValueError(f"one of {', '.join(SIGNALS)}")
    return str(value)


def stamps(value: Any) -> dict[str, list[str]]:
    """Headers by which tasks were stamped: a value or several for each."""
    if not isinstance(value, dict) or not 0 < len(value) <= MOST_IDS:
        raise ValueError("stamped headers and their values")
    return {name(key): names(wanted) for key, wanted in value.items()}
