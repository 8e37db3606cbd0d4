"""The actors that the director hears: who is there, who fell silent, who is offline, whose clock is wrong.

Silence is judged only while reports can be heard: not in the first seconds of a term, nor right after the broker was
away or the director itself stood still, as then everybody is silent.

Each actor is judged by location: whoever holds a location's key can claim any name there, but changes nothing that is
thought of an actor of that name elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

import msgspec

from nightowl.core.skew import Skew
from nightowl.core.values import ActorSeen, Report

SILENCE = 3.0
"""Seconds without a word after which an actor's batches count as lost."""

SILENT = 10.0
"""Seconds without a word after which an actor that said no goodbye is a fault of its own."""

GIVEN_UP = 600.0
"""Seconds without a word after which an actor is forgotten."""

DESERTED = 20.0
"""Seconds without a word from any actor after which a location is a fault of its own."""

WARM_UP = 10.0
"""Seconds from when reports can be heard (again) in which nobody's silence counts: others need time to connect, too."""

MOST_ACTORS = 512
"""Actors of a location that are listed; what further ones report counts, but whether they live is not judged."""

Machine = tuple[str, str]
"""A location and a machine whose processes serve it."""


class Actor(msgspec.Struct):
    """What an actor said last at a location. ``since`` and ``heard`` are director time, ``holding`` batch ids.

    ``offline`` is since when it has said that the location's control targets fail.
    """

    location: str
    name: str
    since: float
    heard: float
    holding: frozenset[str] = frozenset()
    offline: float | None = None
    skew: Skew = msgspec.field(default_factory=Skew)

    def hear(self, report: Report, now: float) -> None:
        """Take in what it says."""
        self.heard = now
        self.holding = frozenset(report.holding)
        self.offline = (self.offline or now) if report.offline else None
        self.skew.hear(report.sent, now)


class Roster:
    """All actors at their locations. Moments are director time in Unix seconds; ``now`` is when the term begins."""

    def __init__(self, now: float) -> None:
        self._places: defaultdict[str, dict[str, Actor]] = defaultdict(dict)
        self._begun = now
        self._deaf: dict[str, float] = {}
        self._heard: dict[str, float] = {}

    def restore(self, seen: Iterable[ActorSeen], now: float) -> None:
        """Take over what another director knew; what has been given up in the meantime is left out."""
        for each in seen:
            if now - each.heard < GIVEN_UP:
                actor = Actor(each.location, each.name, each.since, min(each.heard, now), offline=each.offline)
                self._places[each.location][each.name] = actor

    def hear(self, report: Report, now: float) -> Actor | None:
        """Take in what an actor says of itself; one that leaves is on the roster no more.

        The goodbye of one that is not there is a copy, and no sign of life from its location. There is no room for one
        more where a location has ``MOST_ACTORS``: None.
        """
        place = self._places[report.location]
        actor = place.pop(report.actor, None)
        if actor is not None or not report.leaving:
            self._heard[report.location] = now
        if actor is None and len(place) >= MOST_ACTORS:
            return None
        actor = actor or Actor(report.location, report.actor, now, now)
        actor.hear(report, now)
        if not report.leaving:
            place[report.actor] = actor
        return actor

    def deaf(self, location: str, now: float) -> None:
        """Note that nobody at a location could be heard until ``now``."""
        self._deaf[location] = now

    def hears(self, now: float) -> bool:
        """Whether reports from everywhere have been heard for long enough that silence means something."""
        return now >= max([self._begun, *self._deaf.values()]) + WARM_UP

    def get(self, location: str, name: str) -> Actor | None:
        """An actor at a location."""
        return self._places[location].get(name)

    def alive(self, location: str, now: float) -> list[str]:
        """Return the actors of a location that have been heard lately."""
        return sorted(name for name, actor in self._places[location].items() if now - actor.heard <= SILENCE)

    def crowded(self) -> dict[str, float]:
        """Return the locations that have no room for another actor, and since when."""
        return {
            location: max(actor.since for actor in place.values())
            for location, place in self._places.items()
            if len(place) >= MOST_ACTORS
        }

    def silent(self, now: float) -> list[Actor]:
        """Return by location and name the actors that fell silent there and that nobody replaced."""
        youngest = self._youngest()
        return [
            actor
            for actor in self._all()
            if now - max(actor.heard, self._warm(actor.location)) > SILENT and not _is_replaced(actor, youngest, now)
        ]

    def deserted(self, locations: Collection[str], now: float) -> dict[str, float]:
        """Return those of ``locations`` where nobody is heard any more, and since when."""
        last = {location: max(self._heard.get(location, 0.0), self._warm(location)) for location in locations}
        return {location: heard for location, heard in last.items() if now - heard > DESERTED}

    def offline(self, now: float) -> dict[str, float]:
        """Return the locations whose living actors say that their control targets fail, and since when."""
        found: dict[str, float] = {}
        for actor in self._all():
            if actor.offline is not None and now - actor.heard <= SILENT:
                found[actor.location] = min(actor.offline, found.get(actor.location, actor.offline))
        return found

    def skewed(self, least: float, now: float) -> list[tuple[Actor, float]]:
        """Return by location and name the living actors whose clocks are wrong by at least so many seconds, and how."""
        told = [(actor, actor.skew.told(now)) for actor in self._all() if now - actor.heard <= SILENT]
        return [(actor, skew) for actor, skew in told if skew is not None and abs(skew) >= least]

    def seen(self, now: float) -> list[ActorSeen]:
        """Return what is known of each, by location and name."""
        silent = {(actor.location, actor.name) for actor in self.silent(now)}
        return [
            ActorSeen(
                name=actor.name,
                location=actor.location,
                since=actor.since,
                heard=actor.heard,
                silent=actor.heard if (actor.location, actor.name) in silent else None,
                offline=actor.offline,
                skew=actor.skew.told(now),
                holding=len(actor.holding),
            )
            for actor in self._all()
        ]

    def forget(self, now: float) -> None:
        """Give up actors that have been silent for long, and those that another one on their machine replaced."""
        youngest = self._youngest()
        for actor in self._all():
            if now - actor.heard >= GIVEN_UP or _is_replaced(actor, youngest, now):
                del self._places[actor.location][actor.name]
        for location in [location for location, place in self._places.items() if not place]:
            del self._places[location]

    def _all(self) -> list[Actor]:
        """All actors, by location and name."""
        return [actor for _, place in sorted(self._places.items()) for _, actor in sorted(place.items())]

    def _youngest(self) -> dict[Machine, float]:
        """When the youngest process of each machine that serves a location was first heard there."""
        found: dict[Machine, float] = {}
        for actor in self._all():
            key = (actor.location, machine(actor.name))
            found[key] = max(actor.since, found.get(key, actor.since))
        return found

    def _warm(self, location: str) -> float:
        """From when on silence at a location means something."""
        return max(self._begun, self._deaf.get(location, 0.0)) + WARM_UP


def machine(name: str) -> str:
    """Return the machine of an actor, whose name is ``HOST.PROCESS``."""
    return name.rpartition(".")[0]


def _is_replaced(actor: Actor, youngest: Mapping[Machine, float], now: float) -> bool:
    """Whether an actor that died was started again: another process of its machine began where it had ended."""
    return now - actor.heard > SILENT and youngest[actor.location, machine(actor.name)] > actor.heard
