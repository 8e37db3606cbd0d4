"""What becomes of a task and what is counted, by definition: slow, from all of its events at once, sharing no code."""

from __future__ import annotations

from collections import Counter

ORDER = ["received", "started", "succeeded", "failed", "retried", "revoked", "rejected"]
AFTER = {
    "received": "RECEIVED",
    "started": "STARTED",
    "succeeded": "SUCCESS",
    "failed": "FAILURE",
    "retried": "RETRY",
    "revoked": "REVOKED",
    "rejected": "REJECTED",
}


def distinct(events):
    """Each event once, by type, sender's time and sender; a failure with Reject is a rejection."""
    found = {}
    for event in events:
        stage = event.type.removeprefix("task-")
        if stage == "failed" and event.exception.startswith("reject "):
            stage = "rejected"
        found.setdefault((event.uuid, event.type, event.timestamp, event.hostname), (stage, event))
    return list(found.values())


def counts(events):
    """How often each stage is counted: pairs of one end count once."""
    found, paired = Counter(), set()
    for stage, event in distinct(events):
        failure = event.exception or ""
        pair = "Limit" in failure or (stage == "rejected" and not event.requeue)
        if pair and (event.uuid, stage) in paired:
            continue
        if pair:
            paired.add((event.uuid, stage))
        found[stage] += 1
    return found


def executions(events):
    """Lists of (time, stage, event) that belong together, in order.

    Of two starts in a row the second was received, and so was a start behind a reject without a start.
    """
    stages = [
        (event.timestamp, ORDER.index(stage), stage, event) for stage, event in distinct(events) if stage in ORDER
    ]
    groups = [[]]
    for time, _, stage, event in sorted(stages, key=lambda each: each[:2]):
        held = {stage for _, stage, _ in groups[-1]}
        if (stage == "received" and held) or (stage == "started" and held - {"received"}):
            takes_over = stage == "started" and held in ({"received", "started"}, {"received", "rejected"})
            groups.append([groups[-1].pop(0)] if takes_over else [])
        groups[-1].append((time, stage, event))
    return groups


def newest(events):
    """The state, and the times of the stages, of the newest execution; None where that begins with an event lost."""
    last = executions(events)[-1]
    if not last:
        return "PENDING", {}
    _, stage, event = last[-1]
    state = "PENDING" if stage == "rejected" and event.requeue else AFTER[stage]
    return state, {stage: time for time, stage, _ in last if stage != "retried"}
