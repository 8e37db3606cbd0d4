"""From findings of a cluster to its incidents: kind ``cluster``, subject ``CLUSTER/DETECTOR/...``."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from nightowl.core.cluster.finding import Finding
from nightowl.core.incident import incident_id
from nightowl.core.values import Change, Incident, Severity

GROWN = 60.0
"""Seconds from one line of a timeline to the next that says that a count grew."""

REWORDED = 600.0
"""The same where only other words changed: how long something has been so, how full a queue is."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an open incident without asking the store.

    ``severity`` is the worst that it has been, ``told`` that of its finding when something was written last. ``count``
    is what its summary says (None: not known), ``noted`` when that was written (None: not known).
    """

    id: str
    severity: Severity
    told: Severity
    summary: str
    count: int | None = None
    noted: float | None = None


def known_of(incident: Incident) -> Known:
    """What the store knows of an incident."""
    return Known(id=incident.id, severity=incident.severity, told=incident.severity, summary=incident.summary)


def subject_of(cluster: str, finding: Finding) -> str:
    """What an incident is about: ``shop/worker_silent/celery@one``."""
    return f"{cluster}/{finding.key}"


def summary_of(finding: Finding) -> str:
    """The sentence, with how often where that is more than once."""
    return f"{finding.sentence} ({finding.tally})" if finding.tally and finding.count > 1 else finding.sentence


def differs(known: Known, finding: Finding, now: float) -> bool:
    """Whether an incident has something new to say of a finding, and may say it now."""
    if finding.severity.rank > known.severity.rank:
        return True
    if known.summary == summary_of(finding):
        return False
    if finding.severity is not known.told:
        return True
    pause = GROWN if known.count is None or finding.count > known.count else REWORDED
    return known.noted is None or now - known.noted >= pause


def opened(cluster: str, finding: Finding, at: float) -> Change:
    """Return the change by which an incident opens; its finding may have been there before ``at``."""
    subject = subject_of(cluster, finding)
    tags = {
        "cluster": cluster,
        "finding": finding.detector,
        "task": finding.task,
        "queue": finding.queue,
        "worker": finding.worker,
    }
    incident = Incident(
        id=incident_id("cluster", subject, at),
        kind="cluster",
        subject=subject,
        severity=finding.severity,
        summary=summary_of(finding),
        opened=at,
        reason=finding.detector,
        tags={name: value for name, value in tags.items() if value},
        link=finding.path,
    )
    return Change(event="opened", incident=incident, at=at, text=incident.summary)


def updated(incident: Incident, finding: Finding, now: float) -> Change | None:
    """Return the change by which an incident says what is new of its finding (None: nothing is)."""
    summary = summary_of(finding)
    if finding.severity.rank > incident.severity.rank:
        raised = replace(incident, severity=finding.severity, summary=summary, raised=now, link=finding.path)
        return Change(event="raised", incident=raised, at=now, text=summary)
    if incident.summary == summary:
        return None
    said = replace(incident, summary=summary, link=finding.path)
    return Change(event="note", incident=said, at=now, text=finding.tally or summary)


def resolved(incident: Incident, now: float, why: str = "") -> Change:
    """Return the change by which an incident ends."""
    text = why or f"over: {incident.summary}"
    return Change(event="resolved", incident=replace(incident, resolved=now), at=now, text=text)
