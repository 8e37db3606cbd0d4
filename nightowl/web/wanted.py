"""What an address may ask for, judged the same way for pages and API."""

from __future__ import annotations

from nightowl.core.errors import NightOwlError

STATES = ("down", "degraded", "unknown", "new", "up", "paused")


class Unanswerable(NightOwlError):
    """An address asks for something that there cannot be."""


def state(asked: str) -> str:
    """Return the state that a list is filtered by (empty: none). Raises ``Unanswerable``."""
    if asked and asked not in STATES:
        raise Unanswerable(f'state: found "{asked[:40]}", allowed is one of {", ".join(sorted(STATES))}.')
    return asked
