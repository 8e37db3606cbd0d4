"""What workers answer to looks, turned into what is known of them. Whatever they say, nothing here raises."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from nightowl.core.cluster.selection import listed
from nightowl.core.cluster.state import Queue, Worker

KIBIBYTE = 1024

MOST = 5000
"""Queues, tasks, processes or totals of one worker that are kept."""

_LONGEST = 255

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})")
_SAFE_WITH_THREADS = (5, 7)
"""From which version of Celery on threads do not empty the buffer of events that others are filling."""

_SEEN = (
    "inspected",
    "pid",
    "pool",
    "concurrency",
    "processes",
    "autoscale",
    "prefetch",
    "memory",
    "uptime",
    "queues",
    "registered",
    "totals",
    "pool_restarts",
)
"""Fields of a worker that only an inspection tells."""


def inspected(worker: Worker, looks: Mapping[str, Any], now: float) -> Worker:
    """Return the worker with what it answered at ``now`` (Unix seconds): command name to answer.

    Known are ``stats``, ``active_queues``, ``registered`` and ``conf``; what is missing, or is not as Celery says it,
    leaves what was known before.
    """
    found: dict[str, Any] = {}
    if isinstance(stats := looks.get("stats"), dict):
        found |= _of_stats(stats)
    if isinstance(queues := looks.get("active_queues"), list):
        found["queues"] = tuple(_text(each.get("name")) for each in queues[:MOST] if isinstance(each, dict))
    if isinstance(registered := looks.get("registered"), list):
        found["registered"] = tuple(_text(each) for each in registered[:MOST])
    if isinstance(conf := looks.get("conf"), dict):
        found["pool_restarts"] = bool(conf.get("worker_pool_restarts"))
        if isinstance(on := conf.get("worker_send_task_events"), bool):
            found["events_on"] = on or worker.events_on
    return replace(worker, inspected=now, **found) if found else worker


def merged(worker: Worker, seen: Worker | None) -> Worker:
    """Return a worker that is heard of by its events with what was seen of it at its last inspection."""
    if seen is None or seen.inspected is None:
        return worker
    known = {field: getattr(seen, field) for field in _SEEN}
    return replace(worker, **known, events_on=worker.events_on if seen.events_on is None else seen.events_on)


def consumers(queue: Queue, workers: Iterable[Worker]) -> Queue:
    """Return a queue with how many workers, and processes of these, consume it.

    Nobody is known to as long as a worker that is up has not said what it consumes.
    """
    up = [worker for worker in workers if worker.up]
    consuming = [worker for worker in up if queue.name in worker.queues]
    if not consuming and any(worker.inspected is None for worker in up):
        return queue
    processes = sum(worker.size or 1 for worker in consuming)
    return replace(queue, workers=len(consuming), processes=processes)


def task_names(registered: tuple[str, ...]) -> tuple[str, ...]:
    """The names alone of registered tasks, of which a worker also tells settings: ``shop.add [rate_limit=7/m]``."""
    return tuple(each.partition(" [")[0] for each in registered)


def missing(conf: Any) -> tuple[str, ...]:
    """What cannot be seen of a worker with these settings, and what would mend it, in sentences.

    Settings are told without defaults, so one that is not there has Celery's default.
    """
    if not isinstance(conf, dict):
        return ()
    found = []
    if not conf.get("task_send_sent_event"):
        found.append("How long tasks wait in queues is unknown: set task_send_sent_event = True.")
    if not conf.get("worker_pool_restarts"):
        found.append("Pools cannot be restarted from here: set worker_pool_restarts = True.")
    if not conf.get("task_track_started") and conf.get("result_backend"):
        found.append("Results do not say which tasks have started: set task_track_started = True.")
    return tuple(found)


def losing_events(workers: Iterable[Worker]) -> tuple[str, ...]:
    """Which workers lose some of their events by themselves, and what would mend it, in sentences."""
    losing = sorted(each.name for each in workers if each.up and each.pool == "threads" and _is_before(each.version))
    says = "threads lose events in Celery before 5.7, so counts are too low and tasks stay unfinished"
    return (f"{listed(losing)}: {says}: use Celery 5.7, or --pool=prefork.",) if losing else ()


def _is_before(version: str) -> bool:
    found = _VERSION.match(version)
    return found is not None and (int(found[1]), int(found[2])) < _SAFE_WITH_THREADS


def _of_stats(stats: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that ``stats`` tells."""
    pool = _table(stats.get("pool"))
    processes = pool.get("processes")
    found = {
        "pid": _whole(stats.get("pid")),
        "pool": _pool(pool.get("implementation")),
        "concurrency": _whole(pool.get("max-concurrency")),
        "processes": tuple(filter(None, map(_whole, processes[:MOST]))) if isinstance(processes, list) else None,
        "prefetch": _whole(stats.get("prefetch_count")),
        "memory": _memory(_table(stats.get("rusage"))),
        "uptime": _number(stats.get("uptime")),
        "totals": _totals(stats.get("total")),
    }
    known = {key: value for key, value in found.items() if value is not None}
    return known | {"autoscale": _autoscale(stats.get("autoscaler"))}


def _pool(implementation: Any) -> str | None:
    """The pool's name as the command line has it: of ``celery.concurrency.prefork:TaskPool``, ``prefork``."""
    if not isinstance(implementation, str):
        return None
    name = implementation.partition(":")[0].rpartition(".")[2]
    return {"thread": "threads"}.get(name, name)[:_LONGEST]


def _autoscale(autoscaler: Any) -> tuple[int, int] | None:
    low, high = (_whole(_table(autoscaler).get(key)) for key in ("min", "max"))
    return None if low is None or high is None else (low, high)


def _memory(usage: Mapping[str, Any]) -> int | None:
    """Bytes that the worker's main process had at most. Linux tells kibibytes."""
    most = _whole(usage.get("maxrss"))
    return most * KIBIBYTE if most else None


def _totals(total: Any) -> tuple[tuple[str, int], ...] | None:
    if not isinstance(total, dict):
        return None
    counts = ((_text(name), _whole(count)) for name, count in list(total.items())[:MOST])
    return tuple(sorted((name, count) for name, count in counts if count is not None))


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > sys.maxsize:
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _text(value: Any) -> str:
    return str(value)[:_LONGEST] if isinstance(value, str) else ""
