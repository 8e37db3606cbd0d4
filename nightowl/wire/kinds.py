"""The kinds of checks that can be run here."""

from __future__ import annotations

from nightowl import plugins

KINDS = ("http", "https")
"""The kinds of checks that the engine runs by itself."""


def check_kinds() -> tuple[str, ...]:
    """Return every kind of check that can be run here."""
    return (*KINDS, *plugins.probes())
