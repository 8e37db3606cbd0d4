"""What NightOwl must show of a fleet, by the independent capture of its events: counts, histograms, tasks.

What is said in docs/celery-metrics.md to differ from celery-exporter, and nothing else, is allowed for here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import inf
from typing import Any

from tests.celery_fleet import reference
from tests.celery_fleet.capture import Event
from tests.core.exposition_reader import read

Labels = tuple[tuple[str, str], ...]
Series = dict[tuple[str, Labels], float]

RUNTIME = ("celery_task_runtime", (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0))
WAIT = (
    "celery_task_queue_wait_time",
    (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0),
)
ENDS = ("succeeded", "failed", "retried", "revoked", "rejected")
STAGES = ("sent", "received", "started", *ENDS)
MILLISECOND = 0.001


def shown(page: str) -> Series:
    """The counters and histograms of a page that are not 0."""
    found, kinds = read(page)
    wanted = tuple(
        name for name, kind in kinds.items() if kind in ("counter", "histogram") and name.startswith("celery_")
    )
    return {
        (name, labels): value
        for (name, labels), value in found.items()
        if value and name.startswith(wanted) and not name.endswith("_created")
    }


def taken_in(page: str) -> Counter[str]:
    """How many events of tasks were taken in, by type."""
    found, _ = read(page)
    counts = {dict(labels)["type"]: int(value) for (name, labels), value in found.items() if name == TAKEN_IN}
    return Counter(counts)


TAKEN_IN = "nightowl_task_events_total"


def of_tasks(events: Iterable[Event]) -> Counter[str]:
    """How many events of tasks there are, by type, each as often as it came."""
    return Counter(event["type"] for event in events if event["type"].startswith("task-"))


def series(events: Iterable[Event], queues: Mapping[str, str]) -> Series:
    """All counters and histograms that are not 0."""
    listed = list(events)
    found: Series = defaultdict(float)
    for key, count in reference.counts(listed, queues).items():
        # Of a Reject, Celery tells a failure and a rejection: it counts as the latter.
        if not (key.stage == "failed" and key.exception.endswith(".Reject")):
            found[f"celery_task_{key.stage}_total", _labels(key)] += count
    _histograms(found, listed, queues)
    return dict(found)


def differences(left: Series, right: Series) -> list[str]:
    """Series that are not the same, in words. Sums of seconds may differ as sums of the same numbers do.

    How long a task waited that was put back is left out: where both of its starts are read before its task-sent, one of
    the two waits is not known to the watcher, and which is read first the broker decides.
    """
    return [
        f"{name}{dict(labels)}: {left.get((name, labels))}, not {right.get((name, labels))}"
        for name, labels in sorted(left.keys() | right.keys())
        if not (name.startswith(WAIT[0]) and ("name", "fleet.reject_once") in labels)
        and abs(left.get((name, labels), 0.0) - right.get((name, labels), 0.0))
        > (1e-6 if name.endswith("_sum") else 0.0)
    ]


def _labels(key: reference.Key) -> Labels:
    labels = {"name": key.name, "hostname": key.node.rpartition("@")[2], "queue_name": key.queue}
    if key.stage != "sent":
        labels["worker"] = key.node
    if key.stage == "failed":
        labels["exception"] = key.exception.rpartition(".")[2]
    return tuple(sorted(labels.items()))


def _histograms(found: Series, events: list[Event], queues: Mapping[str, str]) -> None:
    told, own = reference.tasks(events, queues), by_task(events)
    for event in reference.once(events):
        task = told[event["uuid"]]
        labels = _labels(reference.Key(task.name, event["hostname"], task.queue, ""))
        if event["type"] == "task-succeeded" and event["runtime"] is not None:
            _observe(found, *RUNTIME, labels, event["runtime"])
        elif event["type"] == "task-started" and (wait := waited(own[event["uuid"]], event)) is not None:
            _observe(found, *WAIT, labels, wait)


def _observe(found: Series, name: str, bounds: tuple[float, ...], labels: Labels, seconds: float) -> None:
    above = [str(bound) for bound in bounds[bisect_left(bounds, seconds) :]]
    for bound in (*above, "+Inf"):
        found[f"{name}_bucket", tuple(sorted((*labels, ("le", bound))))] += 1
    found[f"{name}_count", labels] += 1
    found[f"{name}_sum", labels] += seconds


def waited(own: Sequence[Event], start: Event) -> float | None:
    """Seconds from when the message was sent, or due, that was received last before this start, to the start.

    None where nobody told of its sending, or not before the next retry was received.
    """
    received = [event for event in own if event["type"] == "task-received"]
    begun = max((each for each in received if each["timestamp"] <= start["timestamp"]), key=_told_at)
    sent = [event for event in own if event["type"] == "task-sent" and event["retries"] == begun["retries"]]
    again = [each for each in received if each["retries"] > begun["retries"]]
    if not sent or (again and own.index(sent[0]) > own.index(again[0])):
        return None
    since = max(sent[0]["timestamp"], _moment(sent[0]["eta"]))
    return max(0.0, start["timestamp"] - since)


def _told_at(event: Event) -> float:
    return float(event["timestamp"])


def _moment(text: str | None) -> float:
    return datetime.fromisoformat(text).timestamp() if text else 0.0


def by_task(events: Iterable[Event]) -> dict[str, list[Event]]:
    """The events of each task, as they came."""
    own: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if "uuid" in event:
            own[event["uuid"]].append(event)
    return own


def tasks(events: Iterable[Event], queues: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Every task as the API must give it; moments in Unix seconds."""
    listed = list(events)
    told, own = reference.tasks(listed, queues), by_task(listed)
    return {uuid: _task(told[uuid], sorted(own[uuid], key=_told_at)) for uuid in told}


def _task(told: reference.Told, own: list[Event]) -> dict[str, Any]:
    times = _times(told, own)
    described = next((event for event in reversed(own) if event.get("name")), None)
    parents = [event["parent_id"] for event in own if event.get("parent_id") not in (None, event["uuid"])]
    return {
        "name": told.name,
        "state": told.state,
        "worker": told.node,
        "queue": told.queue,
        "retries": told.retries,
        "args": described["args"] if described else None,
        "kwargs": described["kwargs"] if described else None,
        "root": (described["root_id"] or "") if described else "",
        "parent": parents[-1] if parents else "",
        "times": times,
        **_end(own, times, told),
    }


def _times(told: reference.Told, own: list[Event]) -> dict[str, float]:
    """The stages of the newest execution, and when it was retried last.

    A failure that is a Reject, which Celery tells from 5.7 on, is a rejection; one before the start is of the execution
    before, as it may be told after the task was received again.
    """
    begun = told.times.get("received", 0.0)
    found = {stage: at for stage in STAGES if (at := told.times.get(stage)) and (at >= begun or stage == "retried")}
    sent = [each["timestamp"] for each in own if each["type"] == "task-sent" and each["retries"] == told.retries]
    if told.state == "REJECTED":
        found.pop("failed", None)
    if found.get("rejected", inf) < found.get("started", 0.0):
        del found["rejected"]
    return found | {"sent": sent[-1]} if sent else found


def _end(own: list[Event], times: Mapping[str, float], told: reference.Told) -> dict[str, Any]:
    """What came of the newest execution."""
    ends = {event["type"].removeprefix("task-"): event for event in own}
    succeeded = ends["succeeded"] if "succeeded" in times else None
    failed = ends.get("failed") if told.state in ("FAILURE", "REJECTED") else None
    error = _said(failed) if failed else None
    return {
        "exception": "Reject" if told.state == "REJECTED" else told.exception if failed else "",
        "error": _revoked(ends["revoked"]) if "revoked" in times else error,
        "traceback": failed.get("traceback") if failed else None,
        "result": succeeded["result"] if succeeded else None,
        "runtime": succeeded["runtime"] if succeeded else None,
    }


def _said(failed: Event) -> str:
    """What an exception says; where Celery wrapped it, the last line of its traceback does."""
    text = str(failed["exception"])
    if text != "ExceptionWithTraceback()":
        return text
    return str(failed["traceback"].strip().splitlines()[-1].partition(": ")[2])


def _revoked(event: Event) -> str:
    if event["terminated"]:
        return f"terminated, signal {event['signum']}"
    return "expired" if event["expired"] else "revoked"


def as_told(task: Mapping[str, Any]) -> dict[str, Any]:
    """A task of the API in the same terms."""
    kept = ("name", "state", "worker", "queue", "retries", "args", "kwargs", "root", "parent")
    times = {stage: datetime.fromisoformat(task[stage]).timestamp() for stage in STAGES if task[stage]}
    ends = {key: task[key] for key in ("exception", "result", "runtime", "error", "traceback")}
    return {key: task[key] for key in kept} | {"times": times} | ends


def same_times(found: Mapping[str, float], wanted: Mapping[str, float]) -> bool:
    """Whether the same stages were at the same times, to the millisecond."""
    return found.keys() == wanted.keys() and all(abs(found[stage] - wanted[stage]) < MILLISECOND for stage in wanted)


def unlike(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What is not the same of two tasks; times are compared to the millisecond."""
    times = same_times(found["times"], wanted["times"])
    others = {key: (found[key], wanted[key]) for key in wanted if key != "times" and found[key] != wanted[key]}
    return others if times else others | {"times": (found["times"], wanted["times"])}
