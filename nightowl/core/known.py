"""What is known now, as samples: the last round of each check, the newest of each series, the clocks of actors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nightowl.core.values import ActorSeen, CheckState, Phases, Place, Sample, State

FRESH = 300.0
"""Seconds after which an appended sample, or an actor, is too old to be shown."""

METRICS = ("check_up", "check_duration_seconds", "check_certificate_expiry_seconds")
"""What the states of checks tell."""

SKEW = "nightowl_actor_clock_skew_seconds"
"""What is told of each actor."""

_PHASES = Phases.__struct_fields__


def known(
    states: Iterable[CheckState], samples: Iterable[Sample], actors: Iterable[ActorSeen] = ()
) -> Iterator[Sample]:
    """Yield all of it. What states and actors tell, ``samples`` do not repeat."""
    yield from of_states(states)
    for sample in samples:
        if sample.metric not in METRICS and sample.metric != SKEW:
            yield sample
    yield from of_actors(actors)


def of_states(states: Iterable[CheckState]) -> Iterator[Sample]:
    """Yield what the last rounds of checks tell. A heartbeat has no location."""
    for state in states:
        last = state.last
        if last is None:
            continue
        check = ("check", state.check)
        if not last.places:
            yield Sample("check_up", (check,), last.due, _up(state.verdict))
        for place in last.places:
            if place.voted:
                yield from _of_place(place, (check, ("location", place.location)), last.due)


def of_actors(actors: Iterable[ActorSeen]) -> Iterator[Sample]:
    """Yield by how many seconds the clocks of actors are fast, where that is known."""
    for actor in actors:
        if actor.skew is not None:
            yield Sample(SKEW, (("actor", actor.name), ("location", actor.location)), actor.heard, round(actor.skew, 3))


def _of_place(place: Place, labels: tuple[tuple[str, str], ...], due: float) -> Iterator[Sample]:
    yield Sample("check_up", labels, due, _up(place.state))
    for phase in _PHASES:
        seconds = getattr(place.phases, phase)
        if seconds is not None:
            yield Sample("check_duration_seconds", (*labels, ("phase", phase)), due, seconds)
    if place.certificate_expiry is not None:
        yield Sample("check_certificate_expiry_seconds", labels, due, place.certificate_expiry)


def _up(state: State) -> float:
    return 1.0 if state in (State.UP, State.DEGRADED) else 0.0
