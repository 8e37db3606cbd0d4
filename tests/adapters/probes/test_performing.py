"""When the engine starts a job, and what comes of one that cannot start any more."""

from collections.abc import Iterator
from queue import Queue

import pytest

from nightowl.adapters.clock import SystemClock
from nightowl.adapters.probes import ThreadEngine, thread_engine
from nightowl.core.values import Attempt, Job, Location, Outcome, State, Target
from nightowl.flows.perform import Performer

CLOCK = SystemClock()
TARGET = Target(kind="scripted", url="scripted://shop", timeout=1.0)


def probe(target: Target, deadline: float, connect: object) -> Attempt:
    return Attempt(state=State.UP, started=CLOCK.now(), duration=0.0)


@pytest.fixture
def engine() -> Iterator[ThreadEngine]:
    running = thread_engine({"scripted": probe})
    running.start()
    yield running
    running.stop()


def outcome_of(engine: ThreadEngine, job: Job) -> Outcome:
    done: Queue[Outcome] = Queue()
    Performer(engine, CLOCK, "alice").perform(job, Location(name="london"), done.put)
    return done.get(timeout=30)


def test_a_job_that_comes_early_waits_until_it_is_due(engine: ThreadEngine) -> None:
    due = CLOCK.now() + 0.3
    outcome = outcome_of(engine, Job(check="shop", due=due, deadline=due + 30, target=TARGET))
    assert len(outcome.attempts) == 3
    assert outcome.attempts[0].started >= due


def test_a_job_that_comes_too_late_is_not_begun(engine: ThreadEngine) -> None:
    now = CLOCK.now()
    outcome = outcome_of(engine, Job(check="shop", due=now - 10, deadline=now + 0.5, target=TARGET))
    assert (outcome.state, outcome.attempts) == (State.UNKNOWN, ())
