"""The actors that the director hears: who is there, who fell silent, who is offline, whose clock is wrong.

Silence is judged only while reports can be heard: not in the first seconds of a term, nor right after the broker was
away or the director itself stood still, as then everybody is silent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

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

Key = tuple[str, str]
"""A location and an actor there."""


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
        self._actors: dict[Key, Actor] = {}
        self._begun = now
        self._deaf: dict[str, float] = {}
        self._heard: dict[str, float] = {}

    def restore(self, seen: Iterable[ActorSeen], now: float) -> None:
        """Take over what another director knew; what has been given up in the meantime is left out."""
        for each in seen:
            if now - each.heard < GIVEN_UP:
                actor = Actor(each.location, each.name, each.since, min(each.heard, now), offline=each.offline)
                self._actors[each.location, each.name] = actor

    def hear(self, report: Report, now: float) -> Actor:
        """Take in what an actor says of itself; one that leaves is on the roster no more.

        The goodbye of one that is not there is a copy, and no sign of life from its location.
        """
        key = (report.location, report.actor)
        actor = self._actors.pop(key, None)
        if actor is not None or not report.leaving:
            self._heard[report.location] = now
        actor = actor or Actor(report.location, report.actor, now, now)
        actor.hear(report, now)
        if not report.leaving:
            self._actors[key] = actor
        return actor

    def deaf(self, location: str, now: float) -> None:
        """Note that nobody at a location could be heard until ``now``."""
        self._deaf[location] = now

    def hears(self, now: float) -> bool:
        """Whether reports from everywhere have been heard for long enough that silence means something."""
        return now >= max([self._begun, *self._deaf.values()]) + WARM_UP

    def get(self, location: str, name: str) -> Actor | None:
        """An actor at a location."""
        return self._actors.get((location, name))

    def alive(self, location: str, now: float) -> list[str]:
        """Return the actors of a location that have been heard lately."""
        return sorted(
            name for (where, name), actor in self._actors.items() if where == location and now - actor.heard <= SILENCE
        )

    def silent(self, now: float) -> dict[str, list[Actor]]:
        """Return by name the actors that fell silent, at all of their locations, and that nobody replaced."""
        return {name: found for name, found in self._by_name().items() if self._is_silent(found, now)}

    def deserted(self, locations: Collection[str], now: float) -> dict[str, float]:
        """Return those of ``locations`` where nobody is heard any more, and since when."""
        last = {location: max(self._heard.get(location, 0.0), self._warm(location)) for location in locations}
        return {location: heard for location, heard in last.items() if now - heard > DESERTED}

    def offline(self, now: float) -> dict[str, float]:
        """Return the locations whose living actors say that their control targets fail, and since when."""
        found: dict[str, float] = {}
        for (location, _), actor in self._actors.items():
            if actor.offline is not None and now - actor.heard <= SILENT:
                found[location] = min(actor.offline, found.get(location, actor.offline))
        return found

    def skewed(self, least: float, now: float) -> dict[str, float]:
        """Return by name the skew of the living actors whose clocks are wrong by at least so many seconds."""
        found = {}
        for (_, name), actor in self._actors.items():
            skew = actor.skew.told(now)
            if skew is not None and abs(skew) >= least and now - actor.heard <= SILENT:
                found[name] = skew
        return found

    def seen(self, now: float) -> list[ActorSeen]:
        """Return what is known of each, by location and name."""
        silent = self.silent(now)
        return [
            ActorSeen(
                name=name,
                location=location,
                since=actor.since,
                heard=actor.heard,
                silent=actor.heard if name in silent else None,
                offline=actor.offline,
                skew=actor.skew.told(now),
                holding=len(actor.holding),
            )
            for (location, name), actor in sorted(self._actors.items())
        ]

    def forget(self, now: float) -> None:
        """Give up actors that have been silent for long, and those that another one on their machine replaced."""
        for name, found in self._by_name().items():
            if now - max(actor.heard for actor in found) >= GIVEN_UP or self._is_replaced(found, now):
                for actor in found:
                    del self._actors[actor.location, name]

    def _by_name(self) -> dict[str, list[Actor]]:
        grouped: defaultdict[str, list[Actor]] = defaultdict(list)
        for (_, name), actor in sorted(self._actors.items()):
            grouped[name].append(actor)
        return grouped

    def _is_silent(self, found: list[Actor], now: float) -> bool:
        heard = max(max(actor.heard, self._warm(actor.location)) for actor in found)
        return now - heard > SILENT and not self._is_replaced(found, now)

    def _warm(self, location: str) -> float:
        """From when on silence at a location means something."""
        return max(self._begun, self._deaf.get(location, 0.0)) + WARM_UP

    def _is_replaced(self, found: list[Actor], now: float) -> bool:
        """Whether an actor that died was started again: another process of its machine began where it had ended."""
        last = max(actor.heard for actor in found)
        places = {actor.location for actor in found}
        if now - last <= SILENT:
            return False
        return any(
            other.location in places and other.since > last and machine(other.name) == machine(found[0].name)
            for other in self._actors.values()
        )


def machine(name: str) -> str:
    """Return the machine of an actor, whose name is ``HOST.PROCESS``."""
    return name.rpartition(".")[0]
