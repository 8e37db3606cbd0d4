"""When rounds are due: a stable hash of its name gives each check a phase, so that rounds spread evenly.

The due moments of a check are ``phase + k x every``, whoever schedules and however often it restarts. After an
interruption only the newest missed round of a check still runs, and only while it is fresh; the others are missed.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection
from math import floor
from zlib import crc32

import msgspec

from nightowl.core.values import Check, Round

AHEAD = 0.25
"""Seconds before its due moment at which a round goes out, so that all its locations have it when it is due."""

STEP = 60.0
"""Seconds by which a clock may lie before what was scheduled already; beyond, it was set back."""

FRESH = 5.0
"""Seconds after its due moment in which a round that was not scheduled in time still starts."""

FIRST_SPREAD = 5.0
"""Seconds over which the first rounds of new checks are spread."""

FIRST_LEAD = 10.0
"""Seconds by which a first round comes before the regular one, or else does without: two close ones tell nothing."""

ALLOWANCE = 5.0
"""Seconds that a round waits beyond its attempts: for a lost actor to be noticed, and for the last report."""

RESERVE = 2.0
"""Seconds before the next round by which a round is closed at the latest."""


class Due(msgspec.Struct, frozen=True):
    """The rounds to start now, and how many were missed for good."""

    rounds: tuple[Round, ...]
    missed: int


def resumed(since: float | None, now: float) -> float:
    """Return the moment after which a successor schedules: where its forerunner ended, unless the clock was set back.

    ``since`` is the moment up to which rounds were scheduled (None: never), by the forerunner's clock.
    """
    return now if since is None or since > now + STEP else since


def phase(name: str, every: float) -> float:
    """Return the check's offset within its period, in seconds, rounded to the millisecond."""
    return round(crc32(name.encode()) / 2**32 * every, 3)


def next_due(name: str, every: float, after: float) -> float:
    """Return the first due moment later than ``after`` (Unix seconds)."""
    offset = phase(name, every)
    due = round(offset + floor((after - offset) / every + 1) * every, 3)
    return due if due > after else round(due + every, 3)


def attempts_take(check: Check) -> float:
    """Return the most seconds that a location's attempts of a round take."""
    return check.attempts * check.target.timeout + (check.attempts - 1) * check.attempt_gap


def deadline(check: Check, due: float) -> float:
    """Return when a round closes at the latest: what attempts can take and an allowance, or just before the next."""
    return round(due + min(attempts_take(check) + ALLOWANCE, check.every - RESERVE), 3)


class Schedule:
    """The next due moment of every check, in a heap; ``since`` is the moment up to which rounds were scheduled."""

    def __init__(self, since: float) -> None:
        self._since = since
        self._every: dict[str, float] = {}
        self._next: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []

    def put(self, name: str, every: float, *, new_at: float | None = None) -> None:
        """Add a check or change its period. ``new_at`` (Unix seconds): it never ran, so a first round comes soon."""
        if self._every.get(name) == every:
            return
        self._every[name] = every
        due = next_due(name, every, self._since)
        if new_at is not None:
            first = round(new_at + phase(name, FIRST_SPREAD), 3)
            due = first if due - first >= FIRST_LEAD else due
        self._push(name, due)

    def keep_only(self, names: Collection[str]) -> None:
        """Forget every check that is not among ``names``."""
        for name in set(self._every) - set(names):
            del self._every[name], self._next[name]

    def pop(self, now: float) -> Due:
        """Take the rounds that are due at ``now``; the schedule goes on after it."""
        rounds: list[Round] = []
        missed = 0
        while self._heap and self._heap[0][0] <= now:
            due, name = heapq.heappop(self._heap)
            if self._next.get(name) != due:
                continue
            every = self._every[name]
            coming = next_due(name, every, now)
            newest = max(due, round(coming - every, 3))
            missed += max(0, round((newest - due) / every))
            if now - newest <= FRESH:
                rounds.append(Round(newest, name))
            else:
                missed += 1
            self._push(name, coming)
        self._since = max(self._since, now)
        return Due(tuple(rounds), missed)

    def _push(self, name: str, due: float) -> None:
        self._next[name] = due
        heapq.heappush(self._heap, (due, name))
