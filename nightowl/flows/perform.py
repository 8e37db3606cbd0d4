"""Perform jobs at a location: drive each one's attempts over the engine and hand on its outcome.

Nothing here waits: the engine calls back, so one owner thread (or greenlet) carries thousands of jobs.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from nightowl.core import attempts
from nightowl.core.values import Attempt, Job, Location, Outcome, State
from nightowl.flows.offline import TIMEOUT, Controls, Told
from nightowl.ports import Clock, Engine

Done = Callable[[Outcome], None]

ALLOWANCE = 0.25
"""Seconds after a job's deadline by which control targets have answered, so that the outcome still comes in time."""


class Performer:
    """Runs jobs. ``clock.now`` is director time, by which deadlines are judged; ``actor`` signs the outcomes.

    ``offline`` is told of each try of a location's control targets whether all of them failed.
    """

    def __init__(
        self, engine: Engine, clock: Clock, actor: str, offline: Told = lambda _location, _offline: None
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.actor = actor
        self.controls = Controls(engine, clock, offline)

    def perform(self, job: Job, location: Location, done: Done) -> None:
        """Start ``job`` when it is due; ``done`` gets its outcome on the engine's owner, exactly once.

        Where not even one attempt fits before the deadline, the outcome has no attempts and is unknown. One that would
        be down has to wait for the location's control targets, and is unknown where none of them answers.
        """
        run = _Run(self, job, location, done)
        early = job.due - self.clock.now()
        if early > 0:
            self.engine.later(early, run.proceed)
        else:
            run.proceed()


class _Run:
    """One job on its way."""

    __slots__ = ("_began", "_done", "_job", "_location", "_made", "_performer")

    def __init__(self, performer: Performer, job: Job, location: Location, done: Done) -> None:
        self._performer = performer
        self._job = job
        self._location = location
        self._done = done
        self._made: list[Attempt] = []
        self._began = 0.0

    def proceed(self) -> None:
        wait = attempts.next_attempt(self._job, self._made, self._performer.clock.now())
        if wait is None:
            self._end(attempts.outcome(self._job, self._location.name, self._made, self._performer.actor))
        elif wait > 0:
            self._performer.engine.later(wait, self._begin)
        else:
            self._begin()

    def _begin(self) -> None:
        target = self._job.target
        self._began = self._performer.clock.monotonic()
        self._performer.engine.submit(target, self._location.policy, target.timeout, self._ended)

    def _ended(self, attempt: Attempt) -> None:
        self._made.append(attempt)
        self.proceed()

    def _end(self, outcome: Outcome) -> None:
        if outcome.attempts:
            self._performer.controls.know(self._location)
        if outcome.state is not State.DOWN or not self._location.control:
            self._done(outcome)
            return

        def answered(online: bool) -> None:
            self._done(outcome if online else replace(outcome, state=State.UNKNOWN, offline=True))

        left = self._job.deadline + ALLOWANCE - self._performer.clock.now()
        self._performer.controls.ask(self._location, self._began, min(left, 2 * TIMEOUT), answered)
