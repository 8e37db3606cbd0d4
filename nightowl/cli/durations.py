"""Durations as options."""

from __future__ import annotations

from nightowl.config.units import parse_duration
from nightowl.core.errors import ConfigurationError, Mistake


def seconds(option: str, text: str) -> float:
    """Return the seconds of a duration. Raises ``ConfigurationError``, which names the option."""
    try:
        return parse_duration(text)
    except ValueError:
        allowed = 'a duration such as "2h" or "90d"'
        raise ConfigurationError([Mistake(file="", key=option, found=f'"{text}"', allowed=allowed)]) from None
