"""The variable that opens Flower's API to everybody."""

from __future__ import annotations

from collections.abc import Mapping

from nightowl.config.flower.options import truth

UNAUTHENTICATED = "FLOWER_UNAUTHENTICATED_API"


def is_opened(environ: Mapping[str, str]) -> bool:
    """Whether the API is open; it is not where what the variable says cannot be read."""
    return not opening_mistake(environ) and bool(environ.get(UNAUTHENTICATED)) and truth(environ[UNAUTHENTICATED])


def opening_mistake(environ: Mapping[str, str]) -> str:
    """Return what the variable would have to say; empty: it is fine."""
    try:
        truth(environ.get(UNAUTHENTICATED) or "false")
    except ValueError as error:
        return str(error)
    return ""
