"""Events that workers push to NightOwl by themselves, where their broker carries none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf

import msgspec
from msgspec.structs import replace

from nightowl.core.cluster.events import Event, Gap, Intake
from nightowl.core.cluster.task import Task

MOST = 1_000
"""Events of one parcel at most."""

ROOM = 200_000
"""Events of one cluster that wait to be taken at most."""

SLICE = 1.0
"""Seconds of what happened that are taken in at once."""

DELIVERY = 1.0
"""Seconds by which a sender's clock may seem slow as its request was under way."""

_IN_WORKERS = ("received", "started", "succeeded", "failed", "retried", "revoked", "rejected")


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """What came at once, at ``at`` (Unix seconds, NightOwl's clock). ``refused`` counts what is no event, by reason.

    ``gaps`` tell of events that the sender had to drop.
    """

    at: float
    events: list[Event]
    gaps: list[Gap] = []
    refused: dict[str, int] = {}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a sender says of itself: it dropped so many events since ``since``; ``clock`` is its time (0: not told)."""

    dropped: int = 0
    since: float = 0.0
    clock: float = 0.0


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of events that were pushed: how many are kept, and how many are none, by reason."""

    taken: int
    refused: dict[str, int]


def by_clock(events: Iterable[Event], skew: float) -> list[Event]:
    """Return events of a sender whose clock is slow by ``skew`` seconds (negative: fast) with times by our own."""
    if abs(skew) <= DELIVERY:
        return list(events)
    return [replace(event, timestamp=max(0.0, event.timestamp + skew)) for event in events]


def slices(parcel: Parcel) -> list[Intake]:
    """Return a parcel as if it had been read when it happened, a second's events at once.

    Its sender may have kept it for minutes while it could not be sent. Taken in as of now such events would look like
    those of a slow clock.
    """
    found: list[Intake] = []
    first = -inf
    for event in parcel.events:
        if not found or abs(event.timestamp - first) > SLICE:
            first = event.timestamp
            found.append(Intake(at=0.0, events=[]))
        found[-1].events.append(event)
        found[-1].at = max(found[-1].at, event.timestamp)
    for each in found:
        each.at = min(each.at or parcel.at, parcel.at)
    if parcel.gaps or parcel.refused:
        found.append(Intake(at=parcel.at, events=[], gaps=parcel.gaps, refused=parcel.refused))
    return found


def joined(slices: Iterable[Intake]) -> list[Intake]:
    """Return slices with those together that follow one another within a second of the first: many senders tell few.

    None has more than ``MOST`` events by that.
    """
    found: list[Intake] = []
    first = -inf
    for each in slices:
        last = found[-1] if found else None
        if last is None or abs(each.at - first) > SLICE or len(last.events) + len(each.events) > MOST:
            first = each.at
            found.append(each)
            continue
        refused = {
            reason: last.refused.get(reason, 0) + each.refused.get(reason, 0) for reason in last.refused | each.refused
        }
        found[-1] = Intake(max(last.at, each.at), last.events + each.events, last.gaps + each.gaps, refused)
    return found


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
