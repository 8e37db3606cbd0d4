"""The greatest value of the last while."""

from __future__ import annotations

from math import inf

WINDOW = 60.0
"""Seconds for which a value counts at least; it is forgotten before twice as many have passed."""


class Greatest:
    """Keeps the greatest of the values heard lately, in two windows that follow one another.

    What is heard after a long silence still stands beside what was heard before it.
    """

    def __init__(self) -> None:
        self._turned = -inf
        self._recent = -inf
        self._previous = -inf

    def hear(self, value: float, now: float) -> None:
        """Note a value at ``now`` (seconds of any clock, always the same one)."""
        if not 0 <= now - self._turned <= WINDOW:
            self._previous, self._recent, self._turned = self._recent, -inf, now
        self._recent = max(self._recent, value)

    @property
    def value(self) -> float:
        """The greatest value; minus infinity where none was heard."""
        return max(self._recent, self._previous)
