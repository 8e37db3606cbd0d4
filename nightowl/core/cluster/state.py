"""How a cluster stands: its workers, queues and broker, as its watcher sees them."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from nightowl.core.cluster.events import Gap
from nightowl.core.cluster.finding import Finding


class Start(NamedTuple):
    """When a worker began anew, by the watcher's clock.

    ``idle`` is when the one before it said last that it runs nothing (None: it did not), ``pid`` its process,
    where that is another one.
    """

    at: float
    idle: float | None
    pid: int | None


class Worker(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A worker. ``name`` is its node name; moments are Unix seconds by the watcher's clock, sizes bytes.

    What only an inspection tells is None or empty until one was answered at ``inspected``. ``skew`` is by how many
    seconds its clock is fast. ``offline`` is since when it is away, ``goodbye`` whether it said so. ``totals`` is how
    many tasks it has executed since it started, by name. ``pool_restarts`` is whether its settings let its pool be
    restarted. ``idle`` is when it said last that it runs nothing, ``starts`` when it began anew, as long as
    tasks of the one before may be lost by that.
    """

    name: str
    up: bool
    heard: float
    since: float
    offline: float | None = None
    goodbye: bool = False
    freq: float = 2.0
    active: int = 0
    processed: int = 0
    loadavg: tuple[float, ...] = ()
    software: str = ""
    version: str = ""
    system: str = ""
    skew: float | None = None
    events_on: bool | None = None
    inspected: float | None = None
    pid: int | None = None
    pool: str = ""
    concurrency: int | None = None
    processes: tuple[int, ...] = ()
    autoscale: tuple[int, int] | None = None
    prefetch: int | None = None
    memory: int | None = None
    uptime: float | None = None
    queues: tuple[str, ...] = ()
    registered: tuple[str, ...] = ()
    totals: tuple[tuple[str, int], ...] = ()
    pool_restarts: bool | None = None
    idle: float | None = None
    starts: tuple[Start, ...] = ()

    @property
    def size(self) -> int | None:
        """How many tasks it can run at once, as its pool is now: it may have grown beyond what it began with."""
        return len(self.processes) or self.concurrency


class Queue(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A queue of the cluster's broker. None: this broker does not tell.

    ``ready`` messages wait for a worker, ``unacked`` ones are with one, ``scheduled`` ones are of these not due yet.
    ``age`` is that of the oldest ready message, in seconds. Rates are messages a second, over the last minute.
    """

    name: str
    ready: int | None = None
    unacked: int | None = None
    scheduled: int | None = None
    age: float | None = None
    consumers: int | None = None
    workers: int | None = None
    processes: int | None = None
    rate_in: float | None = None
    rate_out: float | None = None


class Broker(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The cluster's broker itself; sizes in bytes. ``url`` has no password. ``alarms`` are what it complains of."""

    kind: str
    url: str
    version: str = ""
    memory: int | None = None
    memory_limit: int | None = None
    clients: int | None = None
    pubsub_buffer: int | None = None
    alarms: tuple[str, ...] = ()


class Due(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An entry of a beat schedule. ``schedule`` is in words; ``late`` is by how many seconds it is overdue now."""

    name: str
    task: str
    schedule: str
    origin: str = ""
    args: str = ""
    kwargs: str = ""
    queue: str = ""
    enabled: bool = True
    next: float | None = None
    last: float | None = None
    late: float | None = None
    missed: int = 0


class ClusterState(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A cluster at ``at`` (Unix seconds), as its watcher wrote it.

    ``fault`` is why nothing is taken in (empty: it is); ``silent`` is why nothing ever is, where only queues are seen
    and nothing is wrong with that. ``missing`` says what cannot be seen, and what would mend it, in sentences.
    ``findings`` are what goes wrong, as far as that was found by itself.
    """

    name: str
    at: float
    since: float
    fault: str = ""
    silent: str = ""
    broker: Broker | None = None
    workers: tuple[Worker, ...] = ()
    queues: tuple[Queue, ...] = ()
    beat: tuple[Due, ...] = ()
    gaps: tuple[Gap, ...] = ()
    missing: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    events: int = 0
    refused: int = 0
    open_tasks: int = 0
