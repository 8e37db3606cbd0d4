"""Events that workers push to NightOwl by themselves, where their broker carries none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from nightowl.core.cluster.events import Event, Gap
from nightowl.core.cluster.task import Task

MOST = 1_000
"""Events of one parcel at most."""

ROOM = 200_000
"""Events of one cluster that wait to be taken at most."""

_IN_WORKERS = ("received", "started", "succeeded", "failed", "retried", "revoked", "rejected")


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """What came at once, at ``at`` (Unix seconds, NightOwl's clock). ``refused`` counts what is no event, by reason.

    ``gaps`` tell of events that the sender had to drop.
    """

    at: float
    events: list[Event]
    gaps: list[Gap] = []
    refused: dict[str, int] = {}


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of events that were pushed: how many are kept, and how many are none, by reason."""

    taken: int
    refused: dict[str, int]


def unheard(events: Iterable[Event], tasks: Mapping[str, Task]) -> list[Event]:
    """Leave out what the stored ``tasks`` (by id) tell already: a watcher that was killed has stored it.

    What workers say of a task comes in the order of its happening. A client's word of it may come at any time.
    """
    return [event for event in events if not _is_told(event, tasks.get(event.uuid))]


def _is_told(event: Event, task: Task | None) -> bool:
    if task is None or not event.type.startswith("task-"):
        return False
    stages = ("sent",) if event.type == "task-sent" else _IN_WORKERS
    moments = [moment for stage in stages if (moment := getattr(task, stage)) is not None]
    return bool(moments) and event.timestamp <= max(moments)
