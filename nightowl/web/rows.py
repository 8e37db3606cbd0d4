"""A check and its state as one row of a list: in words, with what matters beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from nightowl.core.sentences import cause, seen_from
from nightowl.core.values import CheckState, Incident, Place, State, Verdict
from nightowl.ports import CheckRow, StoredCheck
from nightowl.web import words
from nightowl.web.masking import mask_url
from nightowl.web.words import listed, took


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """``state`` is a verdict's, or ``paused``, or ``new`` before the first round. Times are Unix seconds."""

    name: str
    url: str
    kind: str
    state: str
    since: float | None
    sentence: str
    strip: str
    duration: float | None
    due: float | None
    closed: float | None
    places: tuple[Place, ...]
    origin: str
    tags: dict[str, str]
    incident: str = ""

    @property
    def bad(self) -> int:
        """How many locations say that something is wrong."""
        return bad_places(self.places)

    @property
    def good(self) -> int:
        """How many locations say that nothing is wrong."""
        return sum(place.voted and place.state is State.UP for place in self.places)


def row(shown: CheckRow) -> Row:
    """Describe a check by its definition and state."""
    check, state = shown.check, shown.state
    last = state.last if state else None
    return Row(
        name=check.name,
        url=mask_url(str(check.spec.get("url", ""))),
        kind=kind_of(check.spec),
        state=word(check, state),
        since=state.since if state and last else None,
        sentence=sentence(check, last),
        strip=state.strip if state else "",
        duration=last.duration if last else None,
        due=last.due if last else None,
        closed=last.closed if last else None,
        places=last.places if last else (),
        origin=check.origin,
        tags=dict(check.spec.get("tags", {})),
        incident=state.incident if state else "",
    )


def word(check: StoredCheck, state: CheckState | None) -> str:
    """The one word for how a check is."""
    if check.paused:
        return "paused"
    return state.verdict.value if state and state.last else "new"


def sentence(check: StoredCheck, last: Verdict | None) -> str:
    """Say why a check is as it is, and by which proof."""
    if check.paused:
        return "No rounds run until it is resumed."
    if last is None:
        waiting = {"heartbeat": "Waiting for the first call.", "task": "Waiting for the first run."}
        return waiting.get(kind_of(check.spec), "No round yet.")
    return verdict_told(last)


def verdict_told(last: Verdict) -> str:
    """Say what a round found, why, and by which proof."""
    if not last.places:
        return _called(last)
    if last.state is State.UP:
        return _up(last)
    if last.state is State.UNKNOWN:
        return f"{words.sentence(seen_from(last))}: too few to judge the target, so NightOwl itself needs a look."
    return f"{words.sentence(cause(last.reason, last.detail) or last.state)}, {seen_from(last)}."


def incident_told(incident: Incident) -> str:
    """An incident's summary, without the name that stands beside it."""
    return words.sentence(incident.summary.removeprefix(f"{incident.subject} is "))


def bad_places(places: Sequence[Place]) -> int:
    """How many locations say that something is wrong."""
    return sum(place.voted and place.state in (State.DOWN, State.DEGRADED) for place in places)


def kind_of(spec: dict[str, Any]) -> str:
    """The kind of a check: as written, else the scheme of its URL (empty: the URL is a reference)."""
    scheme = str(spec.get("url", "")).partition(":")[0].lower()
    return str(spec.get("kind") or (scheme if scheme.isalnum() else ""))


def _called(last: Verdict) -> str:
    """Say what a job's call, or its absence, came to."""
    if last.state is not State.UP:
        return f"{words.sentence(cause(last.reason, last.detail) or last.state)}."
    return "The job called in time." if last.duration is None else f"The job was done in {took(last.duration)}."


def _up(last: Verdict) -> str:
    answer = f"Answers in {took(last.duration)}" if last.duration is not None else "Answers"
    if not last.dissent:
        return f"{answer}, {seen_from(last)}."
    odd = next((place for place in last.places if place.location in last.dissent), None)
    why = f" ({cause(odd.reason, odd.detail)})" if odd and odd.reason else ""
    return f"{answer}, but not from {listed(last.dissent)}{why}."
