"""The incident machine of a check: all its transitions live in the table of this file.

Rounds move a check between three phases. What a round means is judged by streaks: ``down`` when the last
``down_after`` rounds were down; else ``degraded`` when as many were degraded or down; ``good`` when the last
``up_after`` were up; else nothing. An unknown round is no event: it changes nothing and counts for neither.

One incident lasts from the first breach until the check is good again: it opens as a warning when the check is
degraded, and is raised to the check's own severity when it is down. Degraded after down keeps it as it is.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

import msgspec
from msgspec.structs import replace

from nightowl.core.sentences import verdict_sentence
from nightowl.core.values import Change, Check, CheckState, Incident, Severity, State, Verdict

STRIP_LENGTH = 60
"""How many rounds the strip of a check remembers."""

_LETTERS = {State.UP: "u", State.DEGRADED: "g", State.DOWN: "d", State.UNKNOWN: "k"}

Event = Literal["opened", "raised", "resolved"]
Breach = Literal["", "degraded", "down"]

TRANSITIONS: dict[tuple[Breach, str], tuple[Breach, Event]] = {
    ("", "degraded"): ("degraded", "opened"),
    ("", "down"): ("down", "opened"),
    ("degraded", "down"): ("down", "raised"),
    ("degraded", "good"): ("", "resolved"),
    ("down", "good"): ("", "resolved"),
}
"""(phase, event) to (next phase, what becomes of the incident); a pair that is not here changes nothing."""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """What a round makes of a check's incident. ``at`` is the round's due moment (Unix seconds)."""

    event: Event
    incident: str
    severity: Severity
    at: float
    verdict: Verdict


def advance(check: Check, state: CheckState, verdict: Verdict) -> tuple[CheckState, Move | None]:
    """Fold one closed round into the state of its check; rounds come in order of their due moment."""
    counted = _count(state, verdict)
    step = TRANSITIONS.get((state.breach, _event(check, counted, verdict)))
    if step is None:
        return counted, None
    breach, event = step
    incident = incident_id("check", check.name, verdict.due) if event == "opened" else state.incident
    move = Move(
        event=event,
        incident=incident,
        severity=severity(check, breach or state.breach),
        at=verdict.due,
        verdict=verdict,
    )
    return replace(counted, breach=breach, incident=incident if breach else ""), move


def rest(state: CheckState) -> CheckState:
    """The state of a check that is not run any more: nothing is open, and no streak goes on."""
    return replace(state, incident="", breach="", up=0, down=0, bad=0, unknown=0)


def severity(check: Check, breach: Breach) -> Severity:
    """The check's own when it is down; degraded is a warning, or less where the check itself is less."""
    if breach == "degraded":
        return min(check.severity, Severity.WARNING, key=lambda each: each.rank)
    return check.severity


def change(check: Check, move: Move, before: Incident | None) -> Change:
    """Write a move out as a change of its incident; ``before`` is the incident as stored (None: it opens)."""
    sentence = f"{check.name} is {verdict_sentence(move.verdict)}"
    if before is None:
        incident = Incident(
            id=move.incident,
            kind="check",
            subject=check.name,
            severity=move.severity,
            summary=sentence,
            opened=move.at,
            reason=move.verdict.reason,
            tags=check.tags,
            runbook=check.runbook,
        )
    elif move.event == "resolved":
        incident = replace(before, resolved=move.at)
    else:
        incident = replace(before, severity=move.severity, summary=sentence, reason=move.verdict.reason, raised=move.at)
    return Change(event=move.event, incident=incident, at=move.at, text=sentence)


def incident_id(kind: str, subject: str, opened: float) -> str:
    """Return the fixed id of an episode: the same kind, subject and opening moment always give the same."""
    return sha256(f"{kind}\n{subject}\n{opened:.3f}".encode()).hexdigest()[:16]


def _count(state: CheckState, verdict: Verdict) -> CheckState:
    now = verdict.state
    bad = now in (State.DOWN, State.DEGRADED)
    known = now is not State.UNKNOWN
    return replace(
        state,
        verdict=now,
        since=state.since if now is state.verdict and state.last else verdict.due,
        last=verdict,
        up=(state.up + 1 if now is State.UP else 0) if known else state.up,
        down=(state.down + 1 if now is State.DOWN else 0) if known else state.down,
        bad=(state.bad + 1 if bad else 0) if known else state.bad,
        unknown=0 if known else state.unknown + 1,
        strip=(state.strip + _LETTERS[now])[-STRIP_LENGTH:],
    )


def _event(check: Check, counted: CheckState, verdict: Verdict) -> str:
    if verdict.state is State.UNKNOWN:
        return ""
    if counted.down >= check.down_after:
        return "down"
    if counted.bad >= check.down_after:
        return "degraded"
    return "good" if counted.up >= check.up_after else ""
