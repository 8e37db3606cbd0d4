"""From tasks of a cluster to the calls of the checks that follow them. Pure: ``now`` is an argument.

A task that runs is a start; one that has ended is an end, which also tells when it began, so that an end never comes
without its start or before it. A retry is neither. One that was revoked or rejected before it ran was no run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from nightowl.core.cluster.task import Task, TaskState
from nightowl.core.runs import MOST_RUNS
from nightowl.core.values import Heartbeat, Ping

RATE = 5.0
BURST = 50.0
"""Calls of one check a second that are made, and how many may come at once: such checks are for scheduled tasks.

Of runs whose start was told the end always is, so that none seems to go on for ever.
"""

_MOST_NAMES = 10_000
_HEAD, _TAIL = 1000, 9000  # characters that are kept of an error and of the end of its traceback
_RANKS = {"fail": 0, "success": 1, "start": 2}


def ping_of(check: str, task: Task, now: float) -> Ping | None:
    """What a task says to a check (None: nothing): that it runs, or how it has ended.

    A lost task has failed ``now``, when that became known.
    """
    end = _end(task, now)
    if end is None:
        if task.started is None or task.state not in (TaskState.STARTED, TaskState.RETRY):
            return None
        event = f"{task.uuid} start {task.started:.3f}"
        return Ping(check=check, at=task.started, signal="start", run=task.uuid, source=task.worker, event=event)
    at, error = end
    moment = task.started if task.state == TaskState.LOST else at
    return Ping(
        check=check,
        at=at,
        signal="fail" if error else "success",
        run=task.uuid,
        source=task.worker,
        started=_begun(task),
        tail=error,
        event=f"{task.uuid} {task.state} {moment:.3f}",
    )


class RunPings:
    """Makes the calls of one cluster's checks, for one thread. ``left_out`` counts those of which there were too many.

    A run is told to have started once, and few enough that a task which runs all the time floods nobody.
    """

    def __init__(self) -> None:
        self.left_out = 0
        self._plans: Mapping[str, Heartbeat] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._open: dict[str, dict[str, None]] = {}
        self._room: dict[str, tuple[float, float]] = {}

    def follow(self, plans: Mapping[str, Heartbeat]) -> None:
        """Follow these checks from now on, by name."""
        self._plans = plans
        self._names = {}
        self._open = {name: self._open.get(name, {}) for name in plans}
        self._room = {name: self._room[name] for name in plans if name in self._room}

    def take(self, tasks: Iterable[Task], now: float) -> list[Ping]:
        """Return the calls that changed tasks make, by moment. ``now`` is Unix seconds by the watcher's clock."""
        if not self._plans:
            return []
        made = [ping_of(check, task, now) for task in tasks for check in self._followers(task.name)]
        found = sorted((ping for ping in made if ping), key=lambda ping: (_RANKS[ping.signal], -ping.at))
        told = [ping for ping in found if self._tells(ping, now)]
        return sorted(told, key=lambda ping: ping.at)

    def _followers(self, name: str) -> tuple[str, ...]:
        known = self._names.get(name)
        if known is None:
            known = tuple(check for check, plan in self._plans.items() if name and fnmatchcase(name, plan.task))
            if len(self._names) < _MOST_NAMES:
                self._names[name] = known
        return known

    def _tells(self, ping: Ping, now: float) -> bool:
        """Whether a call is made: a start that is new, the end of what was told, or else while there is room."""
        under_way = self._open[ping.check]
        known = ping.run in under_way
        if ping.signal != "start":
            under_way.pop(ping.run, None)
            return known or self._has_room(ping.check, now)
        if known or not self._has_room(ping.check, now):
            return False
        under_way[ping.run] = None
        if len(under_way) > MOST_RUNS:
            del under_way[next(iter(under_way))]
        return True

    def _has_room(self, check: str, now: float) -> bool:
        room, at = self._room.get(check, (BURST, now))
        room = min(BURST, room + max(0.0, now - at) * RATE)
        self._room[check] = (room - 1 if room >= 1 else room, now)
        self.left_out += room < 1
        return room >= 1


def _begun(task: Task) -> float | None:
    if task.started is None and task.succeeded is not None and task.runtime is not None:
        return task.succeeded - task.runtime
    return task.started


def _end(task: Task, now: float) -> tuple[float, str] | None:
    """When a run ended, and its error (empty: it succeeded); None: it has not, or there was none."""
    ends: dict[str, tuple[float | None, str]] = {
        TaskState.SUCCESS: (task.succeeded, ""),
        TaskState.FAILURE: (task.failed, _error(task)),
        TaskState.LOST: (now, f"lost with its worker {task.worker}".rstrip()),
        TaskState.REVOKED: (task.revoked, "revoked while it ran"),
        TaskState.REJECTED: (task.rejected, "rejected by its worker"),
    }
    at, error = ends.get(task.state, (None, ""))
    ran = task.started is not None or task.state in (TaskState.SUCCESS, TaskState.FAILURE)
    return (at, error) if at is not None and ran else None


def _error(task: Task) -> str:
    error = (task.error or task.exception or "no error was told")[:_HEAD]
    return f"{error}\n\n{task.traceback[-_TAIL:]}" if task.traceback else error
