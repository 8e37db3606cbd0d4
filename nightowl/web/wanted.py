"""What an address may ask for, judged the same way for pages and API."""

from __future__ import annotations

from nightowl.core.cluster.task import ORDERS, Order
from nightowl.core.errors import NightOwlError, NotFound
from nightowl.web.words import instant

STATES = ("down", "degraded", "unknown", "new", "up", "paused")


class Unanswerable(NightOwlError):
    """An address asks for something that there cannot be."""


class NotYet(NotFound):
    """What an address asks for is not there yet. ``refresh`` says when and where a browser is to look for it again."""

    def __init__(self, message: str, refresh: str) -> None:
        super().__init__(message)
        self.refresh = refresh


def state(asked: str) -> str:
    """Return the state that a list is filtered by (empty: none). Raises ``Unanswerable``."""
    if asked and asked not in STATES:
        raise Unanswerable(f'state: found "{asked[:40]}", allowed is one of {", ".join(sorted(STATES))}.')
    return asked


def order(key: str, asked: str) -> Order | None:
    """Return the order of tasks that is asked for, a minus before it: descending (None: newest first).

    Raises ``Unanswerable``.
    """
    if not asked:
        return None
    by = asked.removeprefix("-")
    if by not in ORDERS:
        allowed = f'one of {", ".join(ORDERS)}, with a "-" before it from the top'
        raise Unanswerable(f'{key}: found "{asked[:40]}", allowed is {allowed}.')
    return Order(by, descending=asked != by)


def moment(key: str, asked: str) -> float | None:
    """Return the moment that an address names, in Unix seconds (None: it names none). Raises ``Unanswerable``."""
    if not asked:
        return None
    try:
        return instant(asked)
    except ValueError:
        allowed = "a moment such as 2026-01-31T12:00:00Z, or Unix seconds"
        raise Unanswerable(f'{key}: found "{asked[:40]}", allowed is {allowed}.') from None
