"""Under which name, worker and queue something is counted, and waiting until that is known."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from nightowl.core.cluster.entry import Entry, Held
from nightowl.core.cluster.figures import (
    RECEIVED,
    REVOKED,
    STARTED,
    SUCCEEDED,
    Cell,
    Figures,
)
from nightowl.core.cluster.task import Task

NAMELESS = "None"
"""The name under which a task is counted that nobody knows; dashboards made for celery-exporter leave it out."""

FAILED = -1
"""What a failure is counted as; other stages are the numbers of ``Cell.counts``."""

HOLD = 2.0
"""Seconds for which a count waits for its task's name or its task-sent, which a busy client may tell late."""

LATELY = 600.0
"""Seconds for which tasks of a name are expected to come with task-sent, once one did. So is the first of each name."""

_MOST_NAMES = 20_000


class Books:
    """Counts into figures. ``default_queue`` is where tasks are counted whose queue nothing tells."""

    def __init__(self, figures: Figures, default_queue: str = "celery") -> None:
        self.figures = figures
        self.default_queue = default_queue
        self._only: dict[str, str] = {}
        self._sending: dict[str, float] = {}
        self._unsent: set[str] = set()
        self._waiting: deque[tuple[float, Entry]] = deque()

    def consumes(self, queues: Mapping[str, tuple[str, ...]]) -> None:
        """Know which queues each worker consumes."""
        self._only = {worker: names[0] for worker, names in queues.items() if len(names) == 1}

    def sent(self, name: str, host: str, queue: str, now: float) -> None:
        """Count a task-sent, and expect one with other tasks of this name."""
        if name in self._sending or len(self._sending) < _MOST_NAMES:
            self._sending[name] = now
        self.figures.count_sent(name, host, queue, now)

    def label(self, entry: Entry, worker: str, now: float) -> None:
        """Settle under which queue a received task is counted, unless task-sent may still tell it."""
        task = entry.task
        if not task.name:
            return
        if entry.sent_by is None and self._may_be_sent(task.name, now):
            entry.settled = False
            return
        self.settle(entry, worker, now)

    def _may_be_sent(self, name: str, now: float) -> bool:
        """Whether a task of this name is expected to come with task-sent."""
        heard = self._sending.get(name)
        if heard is None:
            return name not in self._unsent and len(self._unsent) < _MOST_NAMES
        return heard + LATELY > now

    def settle(self, entry: Entry, worker: str, now: float) -> None:
        """Settle the label by what is known now, and count what was held."""
        task = entry.task
        if not task.queue and worker in self._only:
            task.queue = self._only[worker]
        entry.label = task.queue or self.default_queue
        entry.settled, entry.cell = True, None
        held, entry.held = entry.held, None
        for each in held or ():
            self.count(entry, each.stage, each.worker, each.value, now)

    def count(self, entry: Entry, stage: int, worker: str, value: Any, now: float) -> None:
        """Count a stage, now or once the label is settled.

        ``value`` is the seconds waited of a start, the run time of a success, the exception of a failure; of a receipt,
        when the task may start if not at once.
        """
        if not entry.settled:
            self._hold(entry, Held(stage, worker, value), now)
            return
        cell = entry.cell
        if cell is None or cell.worker != worker:
            cell = self._cell(entry, worker, now)
        if stage == FAILED:
            cell.prefetch_time = 0.0
            self.figures.count_failed(cell, value, now)
            return
        cell.counts[stage] += 1
        if stage == RECEIVED:
            if value is None:
                cell.prefetched += 1
        elif stage == SUCCEEDED:
            cell.prefetch_time = 0.0
            if value is not None:
                self.figures.observe_runtime(cell, value)
        else:
            self._leave_prefetched(entry.task, cell, stage, value)

    def _leave_prefetched(self, task: Task, cell: Cell, stage: int, wait: float | None) -> None:
        if stage not in (STARTED, REVOKED):
            cell.prefetch_time = 0.0
            return
        if cell.prefetched:
            cell.prefetched -= 1
        if stage == STARTED:
            received, started = task.received, task.started
            if received is not None and started is not None and task.eta is None:
                cell.prefetch_time = started - received if started > received else 0.0
            if wait is not None:
                self.figures.observe_wait(cell, wait)

    def waited(self, entry: Entry, worker: str, seconds: float, now: float) -> None:
        """Fill in how long a task waited whose start is counted."""
        for each in entry.held or ():
            if each.stage == STARTED and each.value is None:
                each.value = seconds
                return
        self.figures.observe_wait(self._cell(entry, worker, now), seconds)

    def overdue(self, now: float) -> None:
        """Count what has waited long enough."""
        waiting = self._waiting
        while waiting and waiting[0][0] <= now:
            entry = waiting.popleft()[1]
            if entry.held:
                self.settle(entry, entry.held[0].worker, now)
                if entry.sent_by is None and len(self._unsent) < _MOST_NAMES:
                    self._unsent.add(entry.task.name)
                # A name that comes later still counts for the rest of the task.
                entry.settled = bool(entry.task.name)

    def _cell(self, entry: Entry, worker: str, now: float) -> Cell:
        cell = entry.cell
        if cell is None or cell.worker != worker:
            cell = entry.cell = self.figures.cell(entry.task.name or NAMELESS, worker, entry.label, now)
        return cell

    def _hold(self, entry: Entry, held: Held, now: float) -> None:
        if entry.held is None:
            entry.held = [held]
            self._waiting.append((now + HOLD, entry))
        else:
            entry.held.append(held)
