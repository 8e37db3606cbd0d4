"""Offline: whether a location reaches its own control targets, asked before anything that it calls down counts.

A run tries all targets of a location at once, and is shared by every outcome whose last attempt began before it. One
answer is enough. After a run in which nothing answered, others follow by themselves until one succeeds, so that the
location is known to be back even where no check is due.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from nightowl.core.values import Attempt, Location
from nightowl.ports import Clock, Engine

TIMEOUT = 2.0
"""Seconds that a control target has to answer."""

PITCH = 0.5
"""Seconds from the beginning of one run to that of the next: control targets are not to be burdened."""

AGAIN = 5.0
"""Seconds from a run in which nothing answered to the next one."""

Answer = Callable[[bool], None]
"""Told once whether the location is online."""

Told = Callable[[str, bool], None]
"""Told of each run: the location, and whether it is offline."""


class Controls:
    """The control runs of one process. All methods are called on the engine's owner; moments are monotonic seconds."""

    def __init__(self, engine: Engine, clock: Clock, told: Told) -> None:
        self._engine = engine
        self._clock = clock
        self._told = told
        self._places: dict[str, _Place] = {}

    def ask(self, location: Location, began: float, within: float, answer: Answer) -> None:
        """Tell whether ``location`` is online, by a run that begins after ``began``.

        Without an answer ``within`` so many seconds it is not.
        """
        asked = _Asked(answer)
        place = self._places.get(location.name)
        if place is None:
            place = self._places[location.name] = _Place(self._engine, self._clock, partial(self._told, location.name))
        place.ask(location, began, asked.settle)
        self._engine.later(max(0.0, within), partial(asked.settle, online=False))

    def know(self, location: Location) -> None:
        """Take in a location as it is now; one without control targets (any more) is not offline."""
        place = self._places.get(location.name)
        if place is not None:
            place.know(location)


class _Asked:
    """A question that is answered once."""

    def __init__(self, answer: Answer) -> None:
        self._answer: Answer | None = answer

    def settle(self, online: bool) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            answer(online)


class _Place:
    """The control runs of one location."""

    def __init__(self, engine: Engine, clock: Clock, told: Callable[[bool], None]) -> None:
        self._engine = engine
        self._clock = clock
        self._told = told
        self._run: _Run | None = None
        self._waiting: list[Answer] = []
        self._planned = False
        self._location = Location(name="")

    def know(self, location: Location) -> None:
        if self._location.control and not location.control:
            self._told(False)
        self._location = location

    def ask(self, location: Location, began: float, answer: Answer) -> None:
        self.know(location)
        if self._run is not None and self._run.began > began and not self._run.ended:
            self._run.waiting.append(answer)
            return
        self._waiting.append(answer)
        self._plan(PITCH)

    def _plan(self, pitch: float) -> None:
        """Have the next run begin, at once unless the last one began less than ``pitch`` seconds ago."""
        if self._planned:
            return
        wait = 0.0 if self._run is None else self._run.began + pitch - self._clock.monotonic()
        if wait > 0:
            self._planned = True
            self._engine.later(wait, self._begin)
        else:
            self._begin()

    def _begin(self) -> None:
        self._planned = False
        waiting, self._waiting = self._waiting, []
        run = self._run = _Run(self._clock.monotonic(), waiting, len(self._location.control), self._ended)
        for target in self._location.control:
            self._engine.submit(target, self._location.policy, target.timeout, run.tried)

    def _ended(self, run: _Run, online: bool) -> None:
        if run is not self._run:
            return
        self._told(not online)
        if not online:
            self._engine.later(AGAIN, partial(self._follow, run))

    def _follow(self, run: _Run) -> None:
        """Try again, unless others have done so."""
        if run is self._run and self._location.control:
            self._begin()


class _Run:
    """One try of all control targets."""

    def __init__(self, began: float, waiting: list[Answer], targets: int, done: Callable[[_Run, bool], None]) -> None:
        self.began = began
        self.waiting = waiting
        self.ended = False
        self._left = targets
        self._done = done

    def tried(self, attempt: Attempt) -> None:
        self._left -= 1
        if not self.ended and (attempt.good or not self._left):
            self.ended = True
            waiting, self.waiting = self.waiting, []
            for answer in waiting:
                answer(attempt.good)
            self._done(self, attempt.good)
