"""What a watcher has counted of a cluster's tasks: counters and histograms, by task, worker and queue.

A cell holds all of one (task name, worker, queue). Counts only rise. Cells of workers that are long away are retired:
they are shown no more, and still stand in the sums over workers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from nightowl.core.cluster.histogram import Histogram, narrow, observe

RUNTIME_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds in seconds, celery-exporter's; the one without bound comes after them."""

WAIT_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)

KINDS = ("received", "started", "succeeded", "retried", "revoked", "rejected")
"""What a cell counts beside failures, in the order of ``Cell.counts``."""

RECEIVED, STARTED, SUCCEEDED, RETRIED, REVOKED, REJECTED = range(6)

OTHER = "other"
"""The name that everything beyond the bounds is booked under."""

MOST_CELLS = 10_000
MOST_EXCEPTIONS = 100
"""Classes of exceptions in one cell."""

_LONGEST = 200
_SILENT = 3600.0  # seconds
_MINUTE = 60.0
_SPARE = 1_000
"""Cells beyond the bound that the workers of ``other`` may fill."""


class Failed(msgspec.Struct, gc=False, array_like=True):
    """Failures with one exception: how many, and since when (Unix seconds) they are counted."""

    count: int
    created: float


class Cell(msgspec.Struct, array_like=True):
    """All that is counted of one task on one worker from one queue. ``created`` is Unix seconds.

    ``prefetched`` tasks were received and not started yet; ``prefetch_time`` is how many seconds the last one waited in
    the worker, 0 once it has ended.
    """

    name: str
    worker: str
    queue: str
    created: float
    counts: list[int]
    runtime: Histogram
    wait: Histogram
    failed: dict[str, Failed] = {}
    prefetched: int = 0
    prefetch_time: float = 0.0


class Sent(msgspec.Struct, gc=False, array_like=True):
    """Tasks of one name that one host of clients put into one queue, the last one at ``last`` (Unix seconds).

    Those of hosts that send no more, where room was needed, are together in one without a host.
    """

    name: str
    host: str
    queue: str
    created: float
    count: int = 0
    last: float = 0.0


class _Saved(msgspec.Struct, array_like=True):
    runtime_buckets: tuple[float, ...]
    wait_buckets: tuple[float, ...]
    cells: list[Cell]
    retired: list[Cell]
    sent: list[Sent]
    events: dict[str, int]
    refused: dict[str, int]
    gaps: int
    lost: int
    overflow: int


class Figures:
    """Counters and histograms of one cluster.

    ``events`` are task events taken in, by type; ``refused`` messages that were none, by reason; ``gaps`` and ``lost``
    what was missed; ``overflow`` how many counts were booked under ``other``, as there were too many labels.
    """

    def __init__(
        self,
        runtime_buckets: Sequence[float] = RUNTIME_BUCKETS,
        wait_buckets: Sequence[float] = WAIT_BUCKETS,
        most_cells: int = MOST_CELLS,
    ) -> None:
        self.runtime_buckets = tuple(runtime_buckets)
        self.wait_buckets = tuple(wait_buckets)
        self._runtime_bounds, self._wait_bounds = narrow(runtime_buckets), narrow(wait_buckets)
        self.cells: dict[tuple[str, str, str], Cell] = {}
        self.retired: dict[tuple[str, str], Cell] = {}
        self.sent: dict[tuple[str, str, str], Sent] = {}
        self.events: dict[str, int] = {}
        self.refused: dict[str, int] = {}
        self.gaps = 0
        self.lost = 0
        self.overflow = 0
        self._most = most_cells
        self._next_retiring = 0.0

    def cell(self, name: str, worker: str, queue: str, now: float) -> Cell:
        """Return the cell of a task on a worker from a queue, made at ``now`` where there is none."""
        return self.cells.get((name, worker, queue)) or self._new_cell(
            name[:_LONGEST], worker[:_LONGEST], queue[:_LONGEST], now
        )

    def count_sent(self, name: str, host: str, queue: str, now: float) -> None:
        """Count a task that a client on ``host`` has sent."""
        found = self.sent.get((name, host, queue))
        if found is None:
            found = self._new_sent(name[:_LONGEST], host[:_LONGEST], queue[:_LONGEST], now)
        found.count += 1
        found.last = now

    def count_failed(self, cell: Cell, exception: str, now: float) -> None:
        """Count a failure in a cell."""
        found = cell.failed.get(exception)
        if found is None:
            if len(cell.failed) >= MOST_EXCEPTIONS:
                self.overflow += 1
                exception = OTHER
            found = cell.failed.get(exception) or cell.failed.setdefault(exception, Failed(0, now))
        found.count += 1

    def observe_runtime(self, cell: Cell, seconds: float) -> None:
        """Add the run time of a task that succeeded."""
        observe(cell.runtime, self._runtime_bounds, seconds)

    def observe_wait(self, cell: Cell, seconds: float) -> None:
        """Add how long a task waited from being sent, or due, to being started."""
        observe(cell.wait, self._wait_bounds, seconds)

    def retire(self, workers: Iterable[str]) -> None:
        """Show cells of these workers no more."""
        gone = set(workers)
        for key in [key for key in self.cells if key[1] in gone] if gone else ():
            cell = self.cells.pop(key)
            pair = (cell.name, cell.queue)
            if pair not in self.retired and len(self.retired) >= self._most:
                pair = (OTHER, OTHER)
                cell.name, cell.queue = pair
            held = self.retired.get(pair)
            # Whoever still holds the cell sees by its worker that it is no place to count into.
            cell.worker, cell.prefetched, cell.prefetch_time = "", 0, 0.0
            if held is None:
                self.retired[pair] = cell
            else:
                add(held, cell)

    def encode(self) -> bytes:
        """Return all of it as bytes, for ``decode``."""
        return msgspec.msgpack.encode(
            _Saved(
                runtime_buckets=self.runtime_buckets,
                wait_buckets=self.wait_buckets,
                cells=list(self.cells.values()),
                retired=list(self.retired.values()),
                sent=list(self.sent.values()),
                events=self.events,
                refused=self.refused,
                gaps=self.gaps,
                lost=self.lost,
                overflow=self.overflow,
            )
        )

    @classmethod
    def decode(
        cls,
        data: bytes,
        runtime_buckets: Sequence[float] | None = None,
        wait_buckets: Sequence[float] | None = None,
    ) -> Figures:
        """Return what was encoded; a histogram whose buckets are others by now begins anew.

        Raises:
            ValueError: it is not what ``encode`` gave.
        """
        saved = msgspec.msgpack.decode(data, type=_Saved)
        figures = cls(
            saved.runtime_buckets if runtime_buckets is None else runtime_buckets,
            saved.wait_buckets if wait_buckets is None else wait_buckets,
        )
        for cell in (*saved.cells, *saved.retired):
            if saved.runtime_buckets != figures.runtime_buckets:
                cell.runtime = Histogram()
            if saved.wait_buckets != figures.wait_buckets:
                cell.wait = Histogram()
            cell.counts = (cell.counts + [0] * len(KINDS))[: len(KINDS)]
        figures.cells = {(cell.name, cell.worker, cell.queue): cell for cell in saved.cells}
        figures.retired = {(cell.name, cell.queue): cell for cell in saved.retired}
        figures.sent = {(sent.name, sent.host, sent.queue): sent for sent in saved.sent}
        figures.events, figures.refused = saved.events, saved.refused
        figures.gaps, figures.lost, figures.overflow = saved.gaps, saved.lost, saved.overflow
        return figures

    def _new_cell(self, name: str, worker: str, queue: str, now: float) -> Cell:
        if len(self.cells) >= self._most:
            self.overflow += 1
            name, queue = OTHER, OTHER
            if len(self.cells) >= self._most + _SPARE:
                worker = OTHER
        key = (name, worker, queue)
        found = self.cells.get(key)
        if found is None:
            found = self.cells[key] = empty_cell(name, worker, queue, now)
        return found

    def _new_sent(self, name: str, host: str, queue: str, now: float) -> Sent:
        if len(self.sent) >= self._most:
            self._retire_hosts(now)
        if len(self.sent) >= self._most:
            self.overflow += 1
            name = host = queue = OTHER
        key = (name, host, queue)
        return self.sent.get(key) or self.sent.setdefault(key, Sent(*key, now))

    def _retire_hosts(self, now: float) -> None:
        """Put together what hosts sent that have been silent for an hour; looked for once a minute."""
        if now < self._next_retiring:
            return
        self._next_retiring = now + _MINUTE
        for key, sent in list(self.sent.items()):
            if sent.host and now - sent.last > _SILENT:
                del self.sent[key]
                whole = (sent.name, "", sent.queue)
                held = self.sent.setdefault(whole, Sent(*whole, sent.created))
                held.count += sent.count
                held.created = min(held.created, sent.created)


def empty_cell(name: str, worker: str, queue: str, now: float) -> Cell:
    """Return a cell in which nothing is counted."""
    return Cell(name, worker, queue, now, [0] * len(KINDS), Histogram(), Histogram(), {})


def add(into: Cell, cell: Cell) -> None:
    """Add what one cell has counted to another. What is added may go on counting in another thread."""
    into.counts = [a + b for a, b in zip(into.counts, cell.counts, strict=True)]
    into.created = min(into.created, cell.created)
    into.runtime.add(cell.runtime)
    into.wait.add(cell.wait)
    into.prefetched += cell.prefetched
    into.prefetch_time = max(into.prefetch_time, cell.prefetch_time)
    for exception, failed in list(cell.failed.items()):
        held = into.failed.get(exception)
        if held is None:
            into.failed[exception] = Failed(failed.count, failed.created)
        else:
            held.count += failed.count
            held.created = min(held.created, failed.created)
