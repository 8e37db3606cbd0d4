"""The slow, plain count of a capture: what any fast folding of the same events has to come to.

Every event counts once, for the task's name, the event's own node and the task's queue. Left out are exact doubles
(of one type, task, node and time), and a second ``task-failed`` of an execution, which Celery 5.7 sends at a hard time
limit.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.celery_fleet.capture import Event
from tests.celery_fleet.names import EXCEPTIONS

COUNTED = ("sent", "received", "started", "succeeded", "failed", "retried", "revoked", "rejected")

_STATES = {
    "received": "RECEIVED",
    "started": "STARTED",
    "succeeded": "SUCCESS",
    "failed": "FAILURE",
    "retried": "RETRY",
    "revoked": "REVOKED",
    "rejected": "REJECTED",
}


class Key(NamedTuple):
    """What is counted apart. ``exception`` is the class as a traceback names it, for ``failed`` alone."""

    name: str
    node: str
    queue: str
    stage: str
    exception: str = ""


@dataclass
class Told:
    """All that events say of a task: ``times`` has the newest moment of each stage, by the clock of who told it.

    ``state`` is that of the newest event but ``task-sent``, and ``task-retried`` of an execution before the newest;
    ``name`` is empty where no event has it; ``node`` is that of the worker that was heard last.
    """

    name: str = ""
    node: str = ""
    queue: str = ""
    state: str = "PENDING"
    exception: str = ""
    retries: int = 0
    times: dict[str, float] = field(default_factory=dict)
    progress: tuple[float, float] | None = None


def counts(events: Iterable[Event], queues: Mapping[str, str]) -> Counter[Key]:
    """Count events; ``queues`` has the one queue of each node, for tasks of which nobody told where they were sent."""
    found: Counter[Key] = Counter()
    for own in _by_task(events).values():
        name, queue = _name(own), _queue(own, queues)
        for event in own:
            stage = _stage(event)
            if stage in COUNTED:
                found[Key(name, event["hostname"], queue, stage, _exception(name, event))] += 1
    return found


def tasks(events: Iterable[Event], queues: Mapping[str, str]) -> dict[str, Told]:
    """What became of each task, by its id."""
    found: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if "uuid" in event:
            found[event["uuid"]].append(event)
    return {uuid: _told(own, queues) for uuid, own in found.items()}


def once(events: Iterable[Event]) -> list[Event]:
    """The events of tasks that count, in their order."""
    seen: set[tuple[str, str, str, float]] = set()
    failed: set[str] = set()
    kept: list[Event] = []
    for event in events:
        uuid, stage = event.get("uuid"), _stage(event)
        key = (event["type"], str(uuid), event["hostname"], event["timestamp"])
        if uuid is None or key in seen or (stage == "failed" and uuid in failed):
            continue
        seen.add(key)
        if stage == "failed":
            failed.add(uuid)
        elif stage in ("received", "started"):
            failed.discard(uuid)
        kept.append(event)
    return kept


def _by_task(events: Iterable[Event]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = defaultdict(list)
    for event in once(events):
        found[event["uuid"]].append(event)
    return found


def _told(own: list[Event], queues: Mapping[str, str]) -> Told:
    told = Told(name=_name(own), queue=_queue(own, queues))
    ends = _ends_of_retries(own)
    for event in sorted(own, key=lambda each: each["timestamp"]):
        stage = _stage(event)
        told.times[stage] = event["timestamp"]
        told.retries = max(told.retries, event.get("retries") or 0)
        told.exception = _exception(told.name, event) or told.exception
        if stage == "progress":
            told.progress = (event["current"], event["total"])
        if stage != "sent":
            told.node = event["hostname"]
        if stage != "retried" or not ends:
            told.state = _STATES.get(stage, told.state)
    return told


def _ends_of_retries(own: list[Event]) -> bool:
    """Whether each task-retried is of an execution before the newest.

    It may be told after all that became of the retry, as whoever ran the task sends the retry itself and first.
    """
    newest = max((event["retries"] for event in own if _stage(event) == "received"), default=0)
    return sum(_stage(event) == "retried" for event in own) <= newest


def _stage(event: Event) -> str:
    return str(event["type"].removeprefix("task-"))


def _name(own: list[Event]) -> str:
    return next((event["name"] for event in own if event.get("name")), "")


def _queue(own: list[Event], queues: Mapping[str, str]) -> str:
    told = next((event["queue"] for event in own if event.get("queue")), None)
    return told or next((queues[event["hostname"]] for event in own if event["hostname"] in queues), "")


def _exception(name: str, event: Event) -> str:
    if _stage(event) != "failed":
        return ""
    return EXCEPTIONS.get(name) or str(event["exception"]).partition("(")[0]
