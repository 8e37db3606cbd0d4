"""From the states of a rule to its incidents.

An incident of kind ``rule`` lasts from FIRING to OK. One of kind ``nodata``, a warning, is open as long as NODATA.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Literal

import msgspec
from msgspec.structs import replace

from nightowl.core.evaluation import Finding
from nightowl.core.incident import incident_id
from nightowl.core.rule import Rule
from nightowl.core.rule_state import Phase, RuleState
from nightowl.core.series import Labels, Series, parse
from nightowl.core.values import Change, Incident, Severity

_SUBJECT = 200
"""Characters of a subject; a longer one is cut and told from others by a hash."""


class Standing(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Where a rule stands for a series, and the ids of its open incidents (empty: none).

    ``incident`` is that of the breach, ``silence`` that of missing data. ``source`` is what is ``asked`` by the rule.
    ``why`` says, of a series on a source, why it became unknown (empty: it is not).
    """

    rule: str
    series: str
    state: RuleState = RuleState()
    incident: str = ""
    silence: str = ""
    source: str = ""
    why: str = ""

    @property
    def resting(self) -> bool:
        """Whether there is nothing to remember."""
        return self.state.phase is Phase.OK and self.state.unknown_since is None

    @property
    def open(self) -> tuple[str, ...]:
        """The ids of what is open."""
        return tuple(filter(None, (self.incident, self.silence)))


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of an incident at an instant (Unix seconds), and why."""

    event: Literal["opened", "resolved"]
    kind: Literal["rule", "nodata"]
    incident: str
    subject: str
    labels: Labels
    at: float
    why: str


def asked(rule: Rule) -> str:
    """A text for what a rule asks of which source (empty: it looks at series of NightOwl's own)."""
    if not rule.source:
        return ""
    question = (rule.query, rule.metric, sorted(rule.where.items()), bool(rule.identifiers))
    return f"{rule.source}/{sha256(msgspec.json.encode(question)).hexdigest()[:16]}"


def advance(rule: Rule, standing: Standing, found: Finding) -> tuple[Standing, list[Move]]:
    """The standing after a finding, and what becomes of incidents."""
    unknown = bool(rule.source) and found.after.unknown_since is not None
    after = replace(standing, state=found.after, why=found.condition.sentence if unknown else "")
    moves = list(_moves(rule, standing, found))
    for move in moves:
        identity = move.incident if move.event == "opened" else ""
        after = replace(after, incident=identity) if move.kind == "rule" else replace(after, silence=identity)
    return after, moves


def change(rule: Rule, move: Move, before: Incident | None) -> Change:
    """Write a move out as a change; ``before`` is the incident as stored (None: it opens)."""
    if before is None:
        silent = move.kind == "nodata"
        incident = Incident(
            id=move.incident,
            kind=move.kind,
            subject=move.subject,
            severity=Severity.WARNING if silent else rule.severity,
            summary=f"{move.subject} {'has no data' if silent else 'is firing'}: {move.why}",
            opened=move.at,
            reason=rule.strategy,
            tags={**dict(move.labels), **rule.tags},
            runbook=rule.runbook,
        )
        return Change(event="opened", incident=incident, at=move.at, text=incident.summary)
    text = f"{move.subject} is no longer {'without data' if move.kind == 'nodata' else 'firing'}: {move.why}"
    return Change(event="resolved", incident=replace(before, resolved=move.at), at=move.at, text=text)


def subject_of(rule: str, series: Series) -> str:
    """What an incident is about: ``backlog{queue_name="mail"}``."""
    name = str(Series(rule, series.labels))
    if len(name) <= _SUBJECT:
        return name
    return f"{name[:_SUBJECT]}...{sha256(name.encode()).hexdigest()[:8]}"


def series_of(standing: Standing) -> Series:
    """The series of a standing."""
    return parse(standing.series)


def _moves(rule: Rule, standing: Standing, found: Finding) -> Iterator[Move]:
    if found.before.open != found.after.open:
        yield _move(rule, "rule", standing.incident, found, opens=found.after.open)
    silent = found.after.phase is Phase.NODATA
    if silent != (found.before.phase is Phase.NODATA):
        yield _move(rule, "nodata", standing.silence, found, opens=silent)


def _move(rule: Rule, kind: Literal["rule", "nodata"], identity: str, found: Finding, *, opens: bool) -> Move:
    subject = subject_of(rule.name, found.series)
    return Move(
        event="opened" if opens else "resolved",
        kind=kind,
        incident=incident_id(kind, subject, found.at) if opens else identity,
        subject=subject,
        labels=found.series.labels,
        at=found.at,
        why=found.condition.sentence,
    )
