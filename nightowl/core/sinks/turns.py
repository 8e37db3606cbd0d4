"""When a sink gets its snapshots."""

from __future__ import annotations

from math import floor

LATE = 1.0
"""Seconds after a multiple of ``every``. Watchers store a step at each ten seconds: at the very moment it is chance
whether that is in a snapshot, and counts would rise by nothing at one and by twice as much at the next."""


def next_turn(now: float, every: float) -> float:
    """Return the first turn after ``now`` (Unix seconds) of a sink with a snapshot each ``every`` seconds."""
    return (floor((now - LATE) / every) + 1) * every + LATE
