"""Which tasks wait to be written, and for how long ended ones are remembered."""

from __future__ import annotations

from collections import deque
from copy import copy

from nightowl.core.cluster.entry import Entry
from nightowl.core.cluster.task import ENDED, Task

YOUNG = 2.0
"""Seconds that a change of an open task waits, so that a short task is written once, when it has ended."""

REMEMBER = 60.0
"""Seconds for which an ended task is remembered."""

MOST_ENDED = 20_000
"""Ended tasks remembered at most. A straggler of one that is not is looked up in the store."""


class Pending:
    """Changes of tasks on their way to the store."""

    def __init__(self) -> None:
        self._open: deque[tuple[float, Entry]] = deque()
        self._ended: list[Entry] = []
        self._past: deque[tuple[float, Entry]] = deque()

    def opened(self, entry: Entry, now: float) -> None:
        """Note a task that is new."""
        entry.dirty = now
        self._open.append((now, entry))

    def changed(self, entry: Entry, now: float) -> None:
        """Note that a task changed."""
        if entry.task.state in ENDED:
            self.ended(entry, now)
        elif not entry.dirty:
            entry.dirty = now
            self._open.append((now, entry))

    def ended(self, entry: Entry, now: float) -> None:
        """Note that a task changed that has ended."""
        if not entry.dirty:
            entry.dirty = now
        self._ended.append(entry)

    def at_once(self, entry: Entry) -> None:
        """Write a task that is forgotten, whatever its state, if it has changed."""
        self._ended.append(entry)

    def due(self, now: float) -> list[Task]:
        """Return copies of the tasks to be written now, each once for all of its changes."""
        written = [entry for entry in self._ended if entry.dirty]
        self._ended.clear()
        waiting = self._open
        while waiting and waiting[0][0] <= now - YOUNG:
            since, entry = waiting.popleft()
            if entry.dirty == since and entry.task.state not in ENDED:
                written.append(entry)
        tasks = []
        for entry in written:
            if entry.dirty:
                entry.dirty = 0.0
                tasks.append(copy(entry.task))
                if entry.task.state in ENDED:
                    self._past.append((now, entry))
        return tasks

    def past(self, now: float) -> list[Entry]:
        """Return ended tasks that need not be remembered any longer."""
        past, found = self._past, []
        while past and (past[0][0] <= now - REMEMBER or len(past) > MOST_ENDED):
            entry = past.popleft()[1]
            if not entry.dirty and entry.task.state in ENDED:
                found.append(entry)
        return found
