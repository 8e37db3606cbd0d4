"""Perform jobs at a location: drive each one's attempts over the engine and hand on its outcome.

Nothing here waits: the engine calls back, so one owner thread (or greenlet) carries thousands of jobs.
"""

from __future__ import annotations

from collections.abc import Callable

from nightowl.core import attempts
from nightowl.core.values import Attempt, Job, Outcome, Policy
from nightowl.ports import Clock, Engine

Done = Callable[[Outcome], None]


class Performer:
    """Runs jobs. ``clock.now`` is director time, by which deadlines are judged; ``actor`` signs the outcomes."""

    def __init__(self, engine: Engine, clock: Clock, actor: str) -> None:
        self.engine = engine
        self.clock = clock
        self.actor = actor

    def perform(self, job: Job, location: str, policy: Policy, done: Done) -> None:
        """Start ``job`` when it is due; ``done`` gets its outcome on the engine's owner, exactly once.

        Where not even one attempt fits before the deadline, the outcome has no attempts and is unknown.
        """
        run = _Run(self, job, location, policy, done)
        early = job.due - self.clock.now()
        if early > 0:
            self.engine.later(early, run.proceed)
        else:
            run.proceed()


class _Run:
    """One job on its way."""

    __slots__ = ("_done", "_job", "_location", "_made", "_performer", "_policy")

    def __init__(self, performer: Performer, job: Job, location: str, policy: Policy, done: Done) -> None:
        self._performer = performer
        self._job = job
        self._location = location
        self._policy = policy
        self._done = done
        self._made: list[Attempt] = []

    def proceed(self) -> None:
        wait = attempts.next_attempt(self._job, self._made, self._performer.clock.now())
        if wait is None:
            self._done(attempts.outcome(self._job, self._location, self._made, self._performer.actor))
        elif wait > 0:
            self._performer.engine.later(wait, self._begin)
        else:
            self._begin()

    def _begin(self) -> None:
        target = self._job.target
        self._performer.engine.submit(target, self._policy, target.timeout, self._ended)

    def _ended(self, attempt: Attempt) -> None:
        self._made.append(attempt)
        self.proceed()
