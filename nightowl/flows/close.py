"""Close: turn finished rounds into verdicts, verdicts into incidents, incidents into notices."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from nightowl.core import incident
from nightowl.core.flight import OpenRound
from nightowl.core.incident import Move
from nightowl.core.schedule import STEP
from nightowl.core.telling import Telling
from nightowl.core.values import Change, Check, CheckState, Incident, Verdict
from nightowl.core.verdict import decide
from nightowl.flows.tell import tell
from nightowl.ports import Unit


class Closing(msgspec.Struct):
    """What closing some rounds decides; nothing of it is written yet."""

    verdicts: list[Verdict] = []
    states: dict[str, CheckState] = {}
    moves: list[tuple[Check, Move]] = []


def close(opened: Sequence[OpenRound], states: Mapping[str, CheckState], now: float) -> Closing:
    """Decide rounds in order of their due moment."""
    closing = Closing()
    for each in opened:
        check = each.check
        verdict = decide(each.round, each.asked, each.votes, check.quorum, now)
        judge(closing, check, verdict, states)
    return closing


def judge(closing: Closing, check: Check, verdict: Verdict, states: Mapping[str, CheckState]) -> None:
    """Add a verdict and what it does to its check; one older than the check's last round leaves the state alone.

    A last round that lies ahead was due by a clock that has been set back since: it holds nobody up.
    """
    closing.verdicts.append(verdict)
    state = closing.states.get(check.name) or states.get(check.name) or CheckState(check=check.name)
    if state.last is not None and verdict.due <= state.last.due <= verdict.closed + STEP:
        return
    closing.states[check.name], move = incident.advance(check, state, verdict)
    if move is not None:
        closing.moves.append((check, move))


def write(unit: Unit, closing: Closing, telling: Telling, now: float) -> list[Change]:
    """Write verdicts, states, incidents and notices; return the changes."""
    if closing.verdicts:
        unit.rounds.close(closing.verdicts, list(closing.states.values()))
    changes: list[Change] = []
    untold: dict[str, Change] = {}
    for check, move in closing.moves:
        if move.incident in untold:  # what comes next for an incident goes on from what was written
            tell(unit, list(untold.values()), telling, now)
            untold.clear()
        before = None if move.event == "opened" else unit.incidents.get(move.incident)
        if before is None and move.event != "opened":
            continue
        untold[move.incident] = incident.change(check, move, before)
        changes.append(untold[move.incident])
    tell(unit, list(untold.values()), telling, now)
    return changes


def abandon(unit: Unit, ended: Sequence[Incident], kept: Collection[str], telling: Telling, now: float) -> None:
    """Resolve the incidents of checks that were paused (those ``kept``) or removed."""
    for each in ended:
        before = unit.incidents.get(each.id)
        if before is not None and before.open:
            why = f"{each.subject} is not checked any more: it was {'paused' if each.subject in kept else 'removed'}"
            after = replace(before, resolved=now)
            tell(unit, [Change(event="resolved", incident=after, at=now, text=why)], telling, now)
