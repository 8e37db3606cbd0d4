"""What is usual for the tasks of one name: how long they run, and how many of them fail.

Run times are counted in buckets that are a fifth wider each than the one before; a count is worth half as much after
three days. Ends are counted by the hour for a day, and by the minute for ten minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, log2

import msgspec

HOUR = 3600.0
MINUTE = 60.0
HOURS = 24
MINUTES = 10

_STEPS = 4
"""Buckets from one power of two to the next."""

_LEAST = 0.001
_MOST = 30 * 86400.0
_HALF = 3 * 24.0
"""Hours after which a run time counts half."""

_FORGOTTEN = 0.01
"""Weight below which a bucket is dropped."""


class Ends(msgspec.Struct, gc=False):
    """How many tasks ended, and how many of them failed."""

    ended: int = 0
    failed: int = 0


class Usual(msgspec.Struct):
    """What is known of the tasks of one name; ``heard`` is when the last one ended (Unix seconds)."""

    runtimes: dict[int, float] = {}
    decayed: int = 0
    hours: dict[int, Ends] = {}
    minutes: dict[int, Ends] = {}
    heard: float = 0.0

    def ran(self, runtime: float) -> None:
        """Count a run time, in seconds."""
        bucket = ceil(log2(min(max(runtime, _LEAST), _MOST)) * _STEPS)
        self.runtimes[bucket] = self.runtimes.get(bucket, 0.0) + 1.0

    def ended(self, ended: int, failed: int, now: float) -> None:
        """Count tasks that have ended just now."""
        self.heard = now
        for cells, number in ((self.hours, int(now // HOUR)), (self.minutes, int(now // MINUTE))):
            cell = cells.get(number)
            if cell is None:
                cell = cells[number] = Ends()
            cell.ended += ended
            cell.failed += failed

    def age(self, now: float) -> None:
        """Forget what is too old to be usual."""
        hour, minute = int(now // HOUR), int(now // MINUTE)
        self.hours = _since(self.hours, hour - HOURS)
        self.minutes = _since(self.minutes, minute - MINUTES)
        passed = hour - self.decayed if self.decayed else 0
        if passed > 0:
            weight = 0.5 ** (passed / _HALF)
            self.runtimes = {at: left for at, count in self.runtimes.items() if (left := count * weight) > _FORGOTTEN}
        self.decayed = max(hour, self.decayed)

    @property
    def runs(self) -> float:
        """How many run times are known, those of long ago for less."""
        return sum(self.runtimes.values())

    def runtime(self, share: float) -> float:
        """Seconds that this share of runs does not exceed, by up to a fifth too many (0.0: none is known)."""
        left = share * self.runs
        for bucket, count in sorted(self.runtimes.items()):
            left -= count
            if left <= 0:
                return float(2.0 ** (bucket / _STEPS))
        return 0.0

    def before(self, now: float) -> Ends:
        """How many ended within a day before this hour: what goes wrong right now is none of what is usual."""
        hour = int(now // HOUR)
        return _sum({at: cell for at, cell in self.hours.items() if at < hour})

    def lately(self, now: float) -> Ends:
        """How many ended within ten minutes."""
        return _sum(_since(self.minutes, int(now // MINUTE) - MINUTES))


def _since(cells: Mapping[int, Ends], number: int) -> dict[int, Ends]:
    return {at: cell for at, cell in cells.items() if at > number}


def _sum(cells: Mapping[int, Ends]) -> Ends:
    return Ends(sum(cell.ended for cell in cells.values()), sum(cell.failed for cell in cells.values()))
