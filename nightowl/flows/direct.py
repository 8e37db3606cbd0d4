"""Direct: turn due rounds into batches, one message per location and tick, and send again what got lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from nightowl import __version__
from nightowl.core import batches
from nightowl.core.errors import Unavailable
from nightowl.core.flight import Flights, OpenRound
from nightowl.core.schedule import deadline
from nightowl.core.values import Batch, Check, Job, Location, Round, Target
from nightowl.ports import Bus

REPORTING = 0.5
"""Seconds before a round's deadline by which its attempts have ended, so that the report still arrives in time."""


class Dispatcher:
    """Puts rounds on the bus. ``new_id`` gives batch ids; a location that is not declared any more gets nothing."""

    def __init__(self, bus: Bus, flights: Flights, new_id: Callable[[], str]) -> None:
        self._bus = bus
        self._flights = flights
        self._new_id = new_id
        self._targets: dict[tuple[str, str], tuple[Target, Target]] = {}

    def send(self, rounds: Mapping[str, Iterable[OpenRound]], locations: Mapping[str, Location], now: float) -> int:
        """Send each location its rounds at ``now`` (director time); return how many batches the bus refused.

        A refused batch is noted like a sent one: it will be found lost, and is sent again while an attempt fits.
        """
        refused = 0
        for name, opened in rounds.items():
            location = locations.get(name)
            if location is None:
                continue
            room = batches.MAX_BYTES - batches.weight(location.control)
            for jobs in batches.split((self._job(each, name) for each in opened), max_bytes=room):
                batch = Batch(
                    id=self._new_id(),
                    location=name,
                    issued=now,
                    expires=max(job.deadline for job in jobs),
                    jobs=jobs,
                    policy=location.policy,
                    control=location.control,
                )
                self._flights.sent(batch, now)
                try:
                    self._bus.dispatch(batch)
                except Unavailable:
                    refused += 1
        return refused

    def _job(self, opened: OpenRound, location: str) -> Job:
        check = opened.check
        return Job(
            check=check.name,
            due=opened.round.due,
            deadline=round(opened.deadline - REPORTING, 3),
            target=self._target(check, location),
            attempts=check.attempts,
            attempts_when=check.attempts_when,
            attempt_gap=check.attempt_gap,
        )

    def _target(self, check: Check, location: str) -> Target:
        """The check's target, introduced to the peer by product and location; made once per check and location."""
        known = self._targets.get((check.name, location))
        if known is None or known[0] is not check.target:
            agent = check.target.user_agent or f"NightOwl/{__version__} ({location})"
            known = self._targets[check.name, location] = (check.target, replace(check.target, user_agent=agent))
        return known[1]


def open_rounds(rounds: Sequence[Round], checks: Mapping[str, Check], ticket: str) -> list[OpenRound]:
    """Open the rounds of checks that are (still) there and not paused; nobody is asked about a heartbeat."""
    found = ((each, checks.get(each.check)) for each in rounds)
    return [
        OpenRound(check, each, check.locations, deadline(check, each.due), ticket)
        for each, check in found
        if check is not None and not check.paused and check.heartbeat is None
    ]


def by_location(opened: Iterable[OpenRound]) -> dict[str, list[OpenRound]]:
    """Group rounds by the locations asked."""
    grouped: defaultdict[str, list[OpenRound]] = defaultdict(list)
    for each in opened:
        for location in each.asked:
            grouped[location].append(each)
    return dict(grouped)
