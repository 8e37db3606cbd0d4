"""From the outcomes of a round to one verdict.

Over the votes that count: down when at least ``quorum`` locations say down (default: more than half of those that
voted); else unknown when fewer than half of the locations asked have voted; else degraded when at least ``quorum``
say degraded or down; else up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median

from nightowl.core.values import Outcome, Place, Round, State, Verdict

OFFLINE = "own.offline"
"""The reason of a location that could not reach its own control targets."""


def decide(
    round_: Round, asked: Sequence[str], votes: Mapping[str, Outcome], quorum: int | None, now: float
) -> Verdict:
    """Close a round at ``now`` over the outcomes that arrived in time, by location.

    Outcomes of locations that were not asked are ignored. An unknown outcome is no vote.
    """
    places = tuple(place(location, votes.get(location)) for location in asked)
    state = _state(places, quorum)
    deciding = [p for p in places if p.voted and (p.state is state or (state is State.DEGRADED and _bad(p.state)))]
    durations = [p.duration for p in deciding if p.duration is not None]
    reason, detail = _common_cause(deciding if state is not State.UNKNOWN else places)
    return Verdict(
        check=round_.check,
        due=round_.due,
        closed=now,
        state=state,
        places=places,
        dissent=tuple(p.location for p in places if p.state is State.DOWN) if state is not State.DOWN else (),
        reason=reason,
        detail=detail,
        duration=median(durations) if durations else None,
    )


def place(location: str, outcome: Outcome | None) -> Place:
    """What a location said, as a cell: without an outcome, or with an unknown one, it has not voted.

    What an offline location saw says nothing of the target, and is left out.
    """
    if outcome is not None and outcome.offline:
        detail = "offline: its own control targets failed"
        return Place(location=location, state=State.UNKNOWN, voted=False, offline=True, reason=OFFLINE, detail=detail)
    figure = outcome.figure if outcome else None
    if outcome is None or figure is None:
        return Place(location=location, state=State.UNKNOWN, voted=False)
    certificate = figure.certificate
    return Place(
        location=location,
        state=outcome.state,
        voted=outcome.state is not State.UNKNOWN,
        duration=figure.duration,
        phases=figure.phases,
        status=figure.status,
        address=figure.address,
        reason=figure.reason,
        detail=figure.detail,
        certificate_expiry=certificate.not_after if certificate else None,
    )


def _state(places: Sequence[Place], quorum: int | None) -> State:
    votes = [p.state for p in places if p.voted]
    needed = quorum or len(votes) // 2 + 1
    if votes.count(State.DOWN) >= needed:
        return State.DOWN
    if not votes or len(votes) * 2 < len(places):
        return State.UNKNOWN
    if sum(map(_bad, votes)) >= needed:
        return State.DEGRADED
    return State.UP


def _bad(state: State) -> bool:
    return state in (State.DOWN, State.DEGRADED)


def _common_cause(places: Sequence[Place]) -> tuple[str, str]:
    """Return the reason given most often, with the first detail given for it."""
    reasons = [p.reason for p in places if p.reason]
    if not reasons:
        return "", ""
    reason = Counter(reasons).most_common(1)[0][0]
    return reason, next((p.detail for p in places if p.reason == reason and p.detail), "")
