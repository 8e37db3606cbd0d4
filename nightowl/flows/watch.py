"""Watch: what a cluster's stream brings becomes tasks, figures and series.

Two threads work on one cluster for one term. One reads and folds, and must never wait for a database: Redis drops a
subscriber that does. The other writes, and asks the store for tasks whose beginning was not seen. What goes from one
to the other goes through deques, which may be used from both ends at once.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager

import msgspec
from msgspec.structs import replace

from nightowl.core.cluster import findings
from nightowl.core.cluster.events import Gap
from nightowl.core.cluster.figures import Figures
from nightowl.core.cluster.fold import Fold
from nightowl.core.cluster.lifecycle import Told
from nightowl.core.cluster.saved import Saved, packed, unpacked
from nightowl.core.cluster.settings import ClusterSettings, MetricsSettings
from nightowl.core.cluster.state import ClusterState, Due, Worker
from nightowl.core.cluster.task import Task, TaskFilter
from nightowl.core.cluster.unseen import unseen
from nightowl.core.cluster.workers import Workers
from nightowl.core.errors import StoreUnavailable
from nightowl.flows.inspect import Seen
from nightowl.flows.measure import Measure
from nightowl.flows.purges import purged
from nightowl.flows.rhythm import Rhythm
from nightowl.flows.task_runs import TaskRuns
from nightowl.ports import Clock, Store
from nightowl.ports.clusters import ClusterSource, TaskStore, TaskWriter

log = logging.getLogger(__name__)

FLUSH = 0.25
"""Seconds between two portions of tasks that are handed over."""

STATE = 1.0
"""Seconds between two times at which the state of a cluster is stored, at least."""

SETTLED = 10.0
"""Seconds after which any change of a task is to be written."""

JUDGE = 5.0
"""Seconds between two looks for what goes wrong, after which all that was counted and remembered is stored, too."""

MOST_WAITING = 500_000
"""Tasks that wait to be written at most, while the store does not answer; beyond that the oldest are dropped."""

MOST_AT_ONCE = 5_000
"""Tasks written in one transaction, or a few more."""

_PORTION = 500
"""Tasks of one portion at most."""

OPEN_FOR = 7 * 86400.0
"""Seconds back to which tasks that have not ended are taken up again by the next watcher."""

UNWRITTEN = 3.0
"""Seconds for which what was taken in may wait to be written, as long as the store answers."""

AWAY = "no watcher ran that could store what it read"
"""The reason of a gap between two watchers."""

LAST = 5.0
"""Seconds for which the last of it is read at most, where more has piled up than was read."""

_GAPS = 100
_RECENT = 3.0  # seconds: a source that has read all is sure of it up to then
_LAST_WAIT = 0.05  # seconds that one of these reads waits for more


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What a watch works with.

    ``writer`` puts tasks into ``tasks``. ``seen`` is what polling told last, ``beat`` the entries of the schedule as
    they stand by what ``Watch.ran`` says, ``unread`` why entries cannot be read; ``runs`` are the checks that follow
    the cluster's tasks. ``saving`` is held by one thread at a time, as what was counted later must not be replaced in
    the store by what was counted before. ``redact`` hides secrets in a task. ``told`` is called by the thread that
    reads with each end of an execution, and must not wait. ``pushes`` is whether workers pushed events lately.
    """

    source: ClusterSource
    tasks: TaskStore
    writer: TaskWriter
    store: Store
    clock: Clock
    settings: ClusterSettings
    metrics: MetricsSettings
    seen: Callable[[], Seen]
    beat: Callable[[], Sequence[Due]]
    unread: Callable[[], Sequence[str]]
    runs: TaskRuns
    saving: AbstractContextManager[object]
    redact: Callable[[Task], Task]
    told: Told | None = None
    pushes: Callable[[], bool] = bool


class Watch:
    """One cluster, for one term. ``dropped`` counts tasks that could not be written and are not kept."""

    def __init__(self, parts: Parts) -> None:
        """Go on where the last watcher ended. Raises ``StoreUnavailable``."""
        self._parts = parts
        self.name = parts.settings.name
        self._since = now = parts.clock.now()
        self._questions: deque[list[str]] = deque()
        self._answers: deque[tuple[Mapping[str, Task], list[str]]] = deque()
        self._changed: deque[list[Task]] = deque()
        self._new_gaps: deque[Gap] = deque()
        self._waiting = 0
        self.dropped = 0
        self._reading, self._writing = Rhythm(parts.clock), Rhythm(parts.clock)
        self._state_every = STATE
        self._queues: Mapping[str, tuple[str, ...]] = {}
        self._ran: dict[str, float | None] = {}
        self.state = parts.tasks.state(self.name) or ClusterState(name=self.name, at=now, since=now)
        saved = unpacked(parts.tasks.figures(self.name))
        self._memory = findings.recalled(saved.memory if saved else None)
        self._fold = self._restored(saved, now)
        self._measure = Measure(parts.store, self.name)
        self._gaps = deque(parts.tasks.gaps(self.name, now - 86400.0, now), maxlen=_GAPS)
        self._sure = min(self.state.at, saved.sure) if saved else self.state.at
        self._away = self._sure if self.state.at < now else None
        self.stored_until = 0.0
        """Up to when all that was read is stored, in Unix seconds."""

    @property
    def figures(self) -> Figures:
        """What was counted."""
        return self._fold.figures

    @property
    def behind(self) -> bool:
        """Whether more is to be written already."""
        return bool(self._changed)

    @property
    def fault(self) -> str:
        """Why nothing can be read (empty: it can)."""
        return self._parts.source.fault

    def _restored(self, saved: Saved | None, now: float) -> Fold:
        settings, metrics = self._parts.settings, self._parts.metrics
        buckets = metrics.runtime_buckets, metrics.queue_wait_buckets
        workers = Workers(settings.worker_timeout, settings.purge_offline_workers)
        workers.restore(self.state.workers)
        figures = Figures.decode(saved.figures, *buckets) if saved else Figures(*buckets)
        fold = Fold(figures, workers, default_queue=settings.default_queue, told=self._parts.told)
        fold.restore(self._parts.tasks.unfinished(self.name, now - OPEN_FOR, MOST_WAITING), now)
        return fold

    # -- the thread that reads

    def take(self, timeout: float) -> int:
        """Read what has arrived, waiting up to ``timeout`` seconds for it, and fold it; return how many events."""
        intake = self._parts.source.read(timeout)
        now = self._parts.clock.now()
        self._come_back()
        self._take_answers(now)
        self._fold.take((intake,), now)
        for gap in intake.gaps:
            self._note_gap(gap)
        if self._reading.due("flush", FLUSH):
            self._fold.books.consumes(self._queues)
            self._hand_over(now)
        return len(intake.events)

    def _come_back(self) -> None:
        """Mark the time since the last watcher as a gap, once events are read again."""
        since = self._parts.source.since
        if self._away is not None and since is not None:
            if since:
                self.figures.gaps += 1
                self._note_gap(Gap(self._away, max(self._away, since), AWAY))
            self._away = None

    def _take_answers(self, now: float) -> None:
        while self._answers:
            self._fold.known(*self._answers.popleft(), now)

    def _hand_over(self, now: float) -> None:
        asked = self._fold.unknown()
        if asked:
            self._questions.append(asked)
        changed = self._fold.due(now)
        self._waiting += len(changed)
        for start in range(0, len(changed), _PORTION):
            self._changed.append(changed[start : start + _PORTION])
        while self._waiting > MOST_WAITING and self._changed:
            lost = len(self._changed.popleft())
            self._waiting -= lost
            self.dropped += lost

    def _note_gap(self, gap: Gap) -> None:
        log.warning("events of %s may have been lost for %.1f s: %s", self.name, gap.end - gap.start, gap.reason)
        self._gaps.append(gap)
        self._new_gaps.append(gap)

    # -- the thread that writes

    def write(self) -> list[Task]:
        """Answer what the fold asks, store what has changed; return the tasks that were stored.

        Raises ``StoreUnavailable``; what could not be stored is tried again.
        """
        now = self._parts.clock.now()
        self._look_up()
        tasks, gaps = [self._parts.redact(task) for task in self._portion()], self._taken_gaps()
        try:
            self._follow(tasks, now)
            self._store_what_is_due(tasks, gaps, now)
        except StoreUnavailable:
            self._changed.appendleft(tasks)
            self._waiting += len(tasks)
            self._new_gaps.extendleft(reversed(gaps))
            raise
        findings.observe(self._memory, tasks, self._parts.settings, now)
        self._measure.step(self.figures, self.state, now)
        return tasks

    def _store_what_is_due(self, tasks: list[Task], gaps: list[Gap], now: float) -> None:
        state = None
        if self._writing.due("state", self._state_every):
            state = self._seen(now)
            if self._writing.due("judge", JUDGE):
                self._store(tasks, gaps, self._judged(state, now))
                self.shown()
                return
        if tasks or gaps or state:
            self._store(tasks, gaps, state)

    def _store(self, tasks: list[Task], gaps: list[Gap], state: ClusterState | None) -> None:
        began = self._parts.clock.monotonic()
        self._parts.writer.write(self.name, tasks, state=state, gaps=gaps)
        if state is not None:
            self.state = state
            self._queues = {worker.name: worker.queues for worker in state.workers if worker.queues}
            # of a large cluster the state is long: writing it takes a twentieth of the time at most
            self._state_every = max(STATE, 20 * (self._parts.clock.monotonic() - began))

    def shown(self) -> None:
        """Store what was counted by now, before it is shown: a watcher that is killed then never counts backwards.

        Raises ``StoreUnavailable``. Any thread may call it.
        """
        with self._parts.saving:
            self._parts.tasks.save_figures(self.name, self._saved())
            self.stored_until = self._sure

    def end(self, keep: Callable[[], object]) -> None:
        """Read the last of it and store all. The thread that reads must have ended.

        ``keep`` is called several times a second, and raises where another watcher has taken over. Raises what it does,
        and ``StoreUnavailable``.
        """
        has_all = self._read_last(keep)
        now = self._parts.clock.now()
        sure = self._parts.source.sure
        if self._away is None and sure is not None:
            self._sure = now if has_all else max(self._sure, min(sure, now))
        self._hand_over(now)
        self._look_up()
        self._take_answers(now)
        self._fold.settle(now)
        self._fold.books.overdue(now + SETTLED)
        self._hand_over(now + SETTLED)
        while self._changed:
            keep()
            self._store([self._parts.redact(task) for task in self._portion()], [], None)
        self._store([], self._taken_gaps(), self._seen(now))
        self.shown()

    def _read_last(self, keep: Callable[[], object]) -> bool:
        """Read what has arrived, or piled up; whether that was all."""
        clock = self._parts.clock
        until = clock.monotonic() + LAST
        while clock.monotonic() < until:
            keep()
            sure = self._parts.source.sure
            is_recent = sure is None or sure >= clock.now() - _RECENT
            if not self.take(0.0 if is_recent else _LAST_WAIT) and is_recent:
                return True
        return False

    def ran(self, name: str) -> float | None:
        """When a task of this name was sent or received last (None: not as far as is known)."""
        if name not in self._ran:
            page = self._parts.tasks.page(self.name, TaskFilter(names=(name,)), after=None, limit=1)
            self._ran[name] = max((moment_of(task) for task in page.tasks), default=None)
        return self._ran[name]

    def _follow(self, tasks: Sequence[Task], now: float) -> None:
        """Tell checks and beat entries of these tasks, before it is stored that they were heard."""
        runs = self._parts.runs
        runs.look(now)
        runs.take(tasks, now)
        runs.flush()
        for task in tasks:
            known = self._ran.get(task.name)
            if known is not None or task.name in self._ran:
                self._ran[task.name] = max(known or 0.0, moment_of(task))

    def _look_up(self) -> None:
        while self._questions:
            asked = self._questions[0]
            found = self._parts.tasks.get(self.name, asked)
            self._answers.append((found, asked))
            self._questions.popleft()

    def _portion(self) -> list[Task]:
        """Take what waits, up to a bound; of a task that waits twice the newer."""
        found: dict[str, Task] = {}
        while self._changed and len(found) < MOST_AT_ONCE:
            portion = self._changed.popleft()
            self._waiting -= len(portion)
            found.update((task.uuid, task) for task in portion)
        return list(found.values())

    def _taken_gaps(self) -> list[Gap]:
        found = []
        while self._new_gaps:
            found.append(self._new_gaps.popleft())
        return found

    def _saved(self) -> bytes:
        sure = self._parts.source.sure
        if self._away is None and sure is not None and not self._changed:
            self._sure = max(self._sure, min(sure, self._parts.clock.now() - UNWRITTEN))
        return packed(self.figures.encode(), findings.remembered(self._memory), self._sure)

    def _seen(self, now: float) -> ClusterState:
        """How the cluster is: as events tell, as it was seen by asking, and what goes wrong in it."""
        figures, seen = self.figures, self._parts.seen()
        workers = seen.applied(self._fold.workers.standing())
        return ClusterState(
            name=self.name,
            at=now,
            since=self._since,
            fault=self.fault,
            silent=self._parts.source.silent,
            broker=seen.broker,
            workers=tuple(sorted(workers, key=lambda worker: worker.name)),
            queues=seen.queues,
            beat=tuple(self._parts.beat()),
            gaps=tuple(self._gaps),
            missing=(*seen.missing, *self._unseen(workers), *self._parts.unread(), *seen.faults),
            findings=self.state.findings,
            events=sum(figures.events.values()),
            refused=sum(figures.refused.values()),
            open_tasks=len(self._fold),
        )

    def _unseen(self, workers: Sequence[Worker]) -> Iterator[str]:
        return unseen(self._parts.settings, workers, pushes=self._parts.pushes())

    def _judged(self, state: ClusterState, now: float) -> ClusterState:
        """The state with what goes wrong; what the detectors remember is to be stored with it."""
        deleted = purged(self._parts.store, self.name)
        found = findings.judge(self._memory, state, self._fold.open(), self._parts.settings, now, deleted)
        return replace(state, findings=found)


def moment_of(task: Task) -> float:
    """When a task was sent, or else received, or else first seen."""
    return task.sent or task.received or task.seen
