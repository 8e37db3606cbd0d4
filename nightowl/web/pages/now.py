"""Now: what is wrong, worst first, in sentences; calm when nothing is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from nightowl.core.sentences import cause
from nightowl.core.values import CheckState, Incident, Severity, State
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View
from nightowl.web.rows import bad_places, incident_told, verdict_told
from nightowl.web.words import listed

RECENT = 86400.0
"""Seconds that a resolved incident is still shown."""

_SHOWN = 8
_INCIDENTS = 100
_WORST = ("down", "degraded", "unknown", "own", "up")


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """An open incident, as it stands now. ``state`` is the check's last verdict, what a rule comes to, or ``own``.

    ``label`` is the word for it where that is another one.
    """

    incident: Incident
    state: str
    label: str
    sentence: str
    bad: int = 0
    asked: int = 0


class Notable(msgspec.Struct, frozen=True, kw_only=True):
    """A check worth a look that has no incident: failing since less than it takes, or failing somewhere only."""

    check: str
    state: str
    since: float
    sentence: str


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many incidents are open that are no check's: of a ``word``, with the shape of the worst."""

    state: str
    word: str
    count: int


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """The first page. ``last_round`` is when a round last closed (Unix seconds; None: never)."""

    counts: Mapping[str, int]
    others: tuple[Tally, ...]
    troubles: tuple[Trouble, ...]
    suspects: tuple[Notable, ...]
    partial: tuple[Notable, ...]
    resolved: tuple[Incident, ...]
    last_round: float | None
    channels: tuple[str, ...]
    clusters: int

    @property
    def checks(self) -> int:
        """How many checks there are."""
        return sum(self.counts.values())


def build(ask: Ask) -> View:
    """Gather what is wrong."""
    states = {state.check: state for state in ask.unit.rounds.states()}
    incidents = ask.unit.incidents.open()
    paused = {stored.name for stored in ask.unit.checks.all() if stored.paused}
    running = [state for name, state in states.items() if name not in paused]
    recent, _ = ask.unit.incidents.page(open_only=False, subject="", offset=0, limit=50)
    data = Now(
        counts=ask.unit.checks.counts(),
        others=_others(incidents),
        troubles=_troubles(incidents, states),
        suspects=_suspects(running, {incident.subject for incident in incidents}),
        partial=_partial(running),
        resolved=tuple(i for i in recent if i.resolved and i.resolved > ask.now - RECENT)[:_SHOWN],
        last_round=max((state.last.closed for state in states.values() if state.last), default=None),
        channels=tuple(channel.name for channel in ask.handlers.channels()),
        clusters=len(ask.handlers.clusters()),
    )
    return View(template="now.html", title="Now", data=data)


def _troubles(incidents: Sequence[Incident], states: Mapping[str, CheckState]) -> tuple[Trouble, ...]:
    """Put the worst first; within a state they stay most severe first, then oldest, as the store gives them."""
    found = [_trouble(incident, states.get(incident.subject)) for incident in incidents]
    return tuple(sorted(found, key=lambda trouble: _WORST.index(trouble.state))[:_INCIDENTS])


def _trouble(incident: Incident, state: CheckState | None) -> Trouble:
    """Say why it is open: by the last round where that agrees, else by what opened it."""
    last = state.last if state and incident.kind == "check" else None
    if last is None:
        shape, label = _shape(incident)
        return Trouble(incident=incident, state=shape, label=label, sentence=incident_told(incident))
    agrees = last.state in (State.DOWN, State.DEGRADED)
    return Trouble(
        incident=incident,
        state=last.state,
        label=last.state,
        sentence=verdict_told(last) if agrees else incident_told(incident),
        bad=bad_places(last.places),
        asked=len(last.places),
    )


def _shape(incident: Incident) -> tuple[str, str]:
    """The shape and the word of what is no check's."""
    match incident.kind:
        case "rule":
            return "down" if incident.severity is Severity.CRITICAL else "degraded", "firing"
        case "cluster":
            return "down" if incident.severity is Severity.CRITICAL else "degraded", "found"
        case "nodata":
            return "unknown", "no data"
        case _:
            return "own", "NightOwl"


def _others(incidents: Sequence[Incident]) -> tuple[Tally, ...]:
    """Count what is open of rules, of clusters and of NightOwl's own."""
    shapes: dict[str, list[str]] = {}
    for state, word in (_shape(incident) for incident in incidents if incident.kind != "check"):
        shapes.setdefault(word, []).append(state)
    worst = {word: min(states, key=_WORST.index) for word, states in shapes.items()}
    order = sorted(shapes, key=lambda word: _WORST.index(worst[word]))
    return tuple(Tally(state=worst[word], word=word, count=len(shapes[word])) for word in order)


def _suspects(states: Sequence[CheckState], known: set[str]) -> tuple[Notable, ...]:
    order = (State.DOWN, State.DEGRADED, State.UNKNOWN)
    found = [state for state in states if state.verdict in order and state.check not in known]
    found.sort(key=lambda state: (order.index(state.verdict), state.since))
    return tuple(_notable(state) for state in found[:_SHOWN])


def _notable(state: CheckState) -> Notable:
    why = verdict_told(state.last) if state.last else ""
    return Notable(check=state.check, state=state.verdict, since=state.since, sentence=why)


def _partial(states: Sequence[CheckState]) -> tuple[Notable, ...]:
    found = []
    for state in states:
        if state.verdict is State.UP and state.last and state.last.dissent:
            odd = next(place for place in state.last.places if place.location in state.last.dissent)
            text = f"Down from {listed(state.last.dissent)} only: {cause(odd.reason, odd.detail) or 'no reason given'}"
            found.append(Notable(check=state.check, state="up", since=state.last.due, sentence=text))
    return tuple(found[:_SHOWN])


PAGE = Page(path="/", build=build)
