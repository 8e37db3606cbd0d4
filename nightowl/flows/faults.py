"""Faults of NightOwl's own, as incidents: opened while they last, and never blamed on a target.

The leader answers for the subjects ``store``, ``bus``, ``verdicts``, ``series``, ``rules``, ``evaluators``,
``source/NAME``, ``location/NAME``, ``actor/LOCATION/NAME``, ``actors/LOCATION``, ``clock/LOCATION/NAME``,
``clocks/LOCATION``, ``check/NAME``, ``rule/NAME``, ``cluster/NAME``, ``sink/NAME`` and ``tasks``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from nightowl.core.flight import Flights
from nightowl.core.incident import incident_id
from nightowl.core.roster import MOST_ACTORS, Actor, Roster
from nightowl.core.skew import WRONG
from nightowl.core.values import Change, Check, CheckState, Incident, Severity

UNKNOWN_ROUNDS = 5
"""Unknown rounds in a row after which a check is NightOwl's own problem."""

_NAMED = 5
"""How many checks a sentence names before it only counts them."""

TOGETHER = 3.0
"""Seconds within which one name fell silent at several locations, or its clocks agree, so that it is one process."""

TOLD = 10
"""Actors of a location that have an incident each; further ones share one, so that nobody can flood with names."""


KEYED = 60.0
"""Seconds for which a report that was sealed with another key says that somebody there has a wrong one."""


CALM = 600.0
"""Seconds without a refused series after which there is room again: roles append every few seconds."""


class Fault(msgspec.Struct, frozen=True):
    """What does not work: a sentence for people, and since when (Unix seconds)."""

    summary: str
    since: float
    severity: Severity = Severity.CRITICAL


class Faults:
    """What the leader has found wrong with its own parts."""

    def __init__(self) -> None:
        self._store: float | None = None
        self._bus: float | None = None
        self._uncompiled: dict[str, Fault] = {}
        self._foreign: dict[str, float] = {}
        self._series: Fault | None = None

    def store_failed(self, now: float) -> None:
        """Note that the store did not take a transaction; told once it answers again."""
        self._store = self._store or now

    def bus(self, refused: bool, now: float) -> bool:
        """Note whether the broker refused a batch; whether it is back after it did."""
        back = self._bus is not None and not refused
        self._bus = (self._bus or now) if refused else None
        return back

    def foreign(self, location: str, last: float | None, now: float) -> None:
        """Note when a report of a location was last refused for its key."""
        if last is not None and now - last <= KEYED:
            self._foreign.setdefault(location, last)
        else:
            self._foreign.pop(location, None)

    def refused(self, at: float, most: int, now: float) -> None:
        """Note when a new series was last refused, as there were so many (0.0: never)."""
        summary = f"there are {most} series, as many as [retention] max_series allows: samples of new ones are dropped"
        if abs(now - at) < CALM:
            self._series = self._series or Fault(summary, now, Severity.WARNING)
        else:
            self._series = None

    def uncompiled(self, checks: Mapping[str, str], rules: Mapping[str, str], now: float) -> None:
        """Note the checks and rules that cannot be run as they are defined, with the reason."""
        found = {f"check/{name}": f"check {name} cannot run: {why}" for name, why in checks.items()}
        found |= {f"rule/{name}": f"rule {name} cannot be evaluated: {why}" for name, why in rules.items()}
        self._uncompiled = {subject: Fault(summary, now, Severity.WARNING) for subject, summary in found.items()}

    def told(self) -> None:
        """Forget what is over by the time it can be told: a store fault is past when it is written."""
        self._store = None

    def current(
        self, flights: Flights, states: Mapping[str, CheckState], checks: Mapping[str, Check], now: float
    ) -> dict[str, Fault]:
        """Return all faults by subject.

        While the broker is away no batch can be taken and nobody is heard, so that is told once and not for every
        location and actor.
        """
        found = dict(self._uncompiled)
        if self._bus is None:
            used = {location for check in checks.values() if not check.paused for location in check.locations}
            found |= _of_locations(flights, sorted(used), now)
            for name in sorted(used & self._foreign.keys()):
                found[f"location/{name}"] = _wrong_key(name, self._foreign[name], found.get(f"location/{name}"))
            found |= _of_actors(flights.roster, now)
        if self._bus is not None:
            found["bus"] = Fault("the broker does not take batches, so checks do not run", self._bus)
        if self._store is not None:
            found["store"] = Fault("the store did not answer; results waited in memory and on the bus", self._store)
        if self._series is not None:
            found["series"] = self._series
        unknown = [state for state in states.values() if state.unknown >= UNKNOWN_ROUNDS and state.check in checks]
        if unknown:
            unknown.sort(key=lambda state: state.check)
            found["verdicts"] = Fault(_unknown_sentence(unknown), min(state.since for state in unknown))
        return found


def changes(
    faults: Mapping[str, Fault], open_incidents: Sequence[Incident], now: float, *, heard: bool = True
) -> list[Change]:
    """Open an incident for each new fault, and resolve those of the leader's own whose fault is gone.

    While actors cannot be ``heard``, nothing is known of them, and what is open about them stays open.
    """
    mine = {each.subject: each for each in open_incidents if each.kind == "own" and _answers_for(each.subject)}
    opened = [_opened(subject, fault) for subject, fault in sorted(faults.items()) if subject not in mine]
    over = [each for subject, each in mine.items() if subject not in faults and (heard or not _by_hearing(subject))]
    return opened + [_resolved(each, now) for each in over]


def _answers_for(subject: str) -> bool:
    known = subject in ("store", "bus", "verdicts", "series", "evaluators", "rules", "tasks")
    return known or subject.startswith(("check/", "rule/", "source/", "cluster/", "sink/")) or _by_hearing(subject)


def _by_hearing(subject: str) -> bool:
    return subject.startswith(("location/", "actor/", "actors/", "clock/", "clocks/"))


def _of_locations(flights: Flights, used: Sequence[str], now: float) -> dict[str, Fault]:
    """Of the locations in use: those nobody serves, those that reach no control target, those with too many actors."""
    offline, deserted = flights.roster.offline(now), flights.roster.deserted(used, now)
    crowded = flights.roster.crowded()
    found = {}
    for name in used:
        if name in crowded:
            summary = f"location {name} has {MOST_ACTORS} actors: silence of further ones is not noticed"
            found[f"location/{name}"] = Fault(summary, crowded[name], Severity.WARNING)
        if name in offline:
            summary = f"location {name} cannot reach its own control targets, so its votes do not count"
            found[f"location/{name}"] = Fault(summary, offline[name])
        if name in deserted:
            summary = f"no actor of location {name} is heard: its checks wait in queue nightowl.check.{name}"
            found[f"location/{name}"] = Fault(summary, deserted[name])
        elif name in flights.untaken:
            summary = f"no actor says that it takes the checks of location {name}, in queue nightowl.check.{name}"
            found[f"location/{name}"] = Fault(summary, flights.untaken[name])
    return found


def _wrong_key(name: str, since: float, besides: Fault | None) -> Fault:
    """A location at which somebody has a wrong key, so that neither understands the other."""
    summary = (
        f"reports of location {name} are sealed with another key than [location.{name}] key: "
        "an actor there has a wrong key, or they come from somebody else"
    )
    if besides is None:
        return Fault(summary, since, Severity.WARNING)
    return Fault(f"{summary}. Besides, {besides.summary}", min(since, besides.since), besides.severity)


def _of_actors(roster: Roster, now: float) -> dict[str, Fault]:
    """Those that fell silent, and those whose clocks are wrong."""
    silent = _as_one((actor, actor.heard) for actor in roster.silent(now))
    wrong = _as_one(roster.skewed(WRONG, now))
    return _bounded("actor", silent, _silence, now) | _bounded("clock", wrong, _wrong_clock, now)


def _as_one(found: Iterable[tuple[Actor, float]]) -> list[list[tuple[Actor, float]]]:
    """Put what is one process at several locations together: the same name, and values that hardly differ.

    A name alone says little, as another location may claim it.
    """
    groups: list[list[tuple[Actor, float]]] = []
    for actor, value in sorted(found, key=lambda each: (each[0].name, each[1], each[0].location)):
        last = groups[-1][-1] if groups else None
        if last is not None and last[0].name == actor.name and value - last[1] <= TOGETHER:
            groups[-1].append((actor, value))
        else:
            groups.append([(actor, value)])
    for group in groups:
        group.sort(key=lambda each: each[0].location)
    return groups


def _bounded(
    word: str,
    groups: Iterable[list[tuple[Actor, float]]],
    fault: Callable[[list[tuple[Actor, float]], float], Fault],
    now: float,
) -> dict[str, Fault]:
    """A fault for each group, of those that were first on the roster; one for all others of a location."""
    found: dict[str, Fault] = {}
    places: defaultdict[str, list[list[tuple[Actor, float]]]] = defaultdict(list)
    for group in sorted(groups, key=lambda each: (each[0][0].since, each[0][0].name)):
        places[group[0][0].location].append(group)
    for location, here in places.items():
        for group in here[:TOLD]:
            found[f"{word}/{location}/{group[0][0].name}"] = fault(group, now)
        if more := here[TOLD:]:
            first = fault(more[0], now)
            summary = f"{len(more)} more at {location}, such as: {first.summary}"
            found[f"{word}s/{location}"] = Fault(summary, first.since, Severity.WARNING)
    return found


def _silence(group: list[tuple[Actor, float]], _now: float) -> Fault:
    places = ", ".join(actor.location for actor, _ in group)
    summary = (
        f"actor {group[0][0].name} at {places} fell silent without saying goodbye; "
        "others of its location take its checks"
    )
    return Fault(summary, max(heard for _, heard in group), Severity.WARNING)


def _wrong_clock(group: list[tuple[Actor, float]], now: float) -> Fault:
    places = ", ".join(actor.location for actor, _ in group)
    skew = group[0][1]
    summary = f"the clock of actor {group[0][0].name} at {places} is {abs(skew):.0f} s {'fast' if skew > 0 else 'slow'}"
    return Fault(summary, now, Severity.WARNING)


def _unknown_sentence(states: Sequence[CheckState]) -> str:
    names = ", ".join(state.check for state in states[:_NAMED])
    more = f" and {len(states) - _NAMED} more" if len(states) > _NAMED else ""
    return f"no verdict for {UNKNOWN_ROUNDS} rounds or longer: {names}{more}"


def _opened(subject: str, fault: Fault) -> Change:
    incident = Incident(
        id=incident_id("own", subject, fault.since),
        kind="own",
        subject=subject,
        severity=fault.severity,
        summary=fault.summary,
        opened=fault.since,
    )
    return Change(event="opened", incident=incident, at=fault.since, text=fault.summary)


def _resolved(incident: Incident, now: float) -> Change:
    return Change(event="resolved", incident=replace(incident, resolved=now), at=now, text=f"over: {incident.summary}")
