"""Whether a location is online is asked before it may call anything down."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

import pytest

from nightowl.core.values import Attempt, Job, Location, Outcome, Policy, State, Target
from nightowl.flows.offline import AGAIN, PITCH, TIMEOUT
from nightowl.flows.perform import ALLOWANCE, Performer
from nightowl.testing.clock import ManualClock

SHOP = Target(kind="http", url="http://shop.example/", timeout=1.0)
CONTROLS = tuple(Target(kind="tcp", url=f"tcp://10.0.0.{n}:53", timeout=TIMEOUT) for n in (1, 2))
LONDON = Location(name="london", control=CONTROLS)


class ScriptedEngine:
    """Attempts take and give what ``answers`` says of their URL; time passes by ``run`` alone."""

    def __init__(self, clock: ManualClock) -> None:
        self.answers: dict[str, tuple[float, State]] = {}
        self.tried: list[str] = []
        self._clock = clock
        self._order = count()
        self._calls: list[tuple[float, int, Callable[[], None]]] = []

    def submit(self, target: Target, policy: Policy, timeout: float, done: Callable[[Attempt], None]) -> None:
        self.tried.append(target.url)
        seconds, state = self.answers.get(target.url, (timeout, State.DOWN))
        attempt = Attempt(state=state, started=self._clock.now(), duration=seconds)
        self.later(seconds, lambda: done(attempt))

    def later(self, delay: float, function: Callable[[], None]) -> None:
        heappush(self._calls, (self._clock.monotonic() + delay, next(self._order), function))

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def run(self, seconds: float) -> None:
        end = self._clock.monotonic() + seconds
        while self._calls and self._calls[0][0] <= end:
            due, _, function = heappop(self._calls)
            self._clock.advance(max(0.0, due - self._clock.monotonic()))
            function()
        self._clock.advance(end - self._clock.monotonic())

    def tries(self) -> int:
        """How often the first control target was tried."""
        return self.tried.count(CONTROLS[0].url)


class Place:
    """A performer at a location, and what came of its jobs."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.engine = ScriptedEngine(self.clock)
        self.told: list[bool] = []
        self.outcomes: list[Outcome] = []
        self.ended: list[float] = []
        self.performer = Performer(self.engine, self.clock, "a", lambda _, offline: self.told.append(offline))

    def perform(self, jobs: int = 1, *, location: Location = LONDON, left: float = 20.0, attempts: int = 1) -> None:
        now = self.clock.now()
        for number in range(jobs):
            job = Job(check=f"shop-{number}", due=now, deadline=now + left, target=SHOP, attempts=attempts)
            self.performer.perform(job, location, self._done)

    def _done(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self.ended.append(self.clock.monotonic())

    @property
    def said(self) -> list[tuple[State, bool]]:
        return [(outcome.state, outcome.offline) for outcome in self.outcomes]


@pytest.fixture
def place() -> Place:
    return Place()


def test_nothing_is_asked_while_the_target_is_up(place: Place) -> None:
    place.engine.answers[SHOP.url] = (0.1, State.UP)
    place.perform()
    place.engine.run(5.0)
    assert place.said == [(State.UP, False)]
    assert place.engine.tried == [SHOP.url]


def test_one_control_target_that_answers_lets_the_vote_stand(place: Place) -> None:
    place.engine.answers[CONTROLS[1].url] = (0.01, State.UP)
    place.perform()
    place.engine.run(5.0)
    assert place.said == [(State.DOWN, False)]
    assert place.ended == [pytest.approx(1.01)], "and nobody waits for the others"


def test_a_location_whose_control_targets_all_fail_says_nothing_of_the_target(place: Place) -> None:
    place.perform()
    place.engine.run(5.0)
    assert place.said == [(State.UNKNOWN, True)]
    assert [attempt.state for attempt in place.outcomes[0].attempts] == [State.DOWN], "which are kept"
    assert place.told[0] is True


def test_without_control_targets_down_is_down(place: Place) -> None:
    place.perform(location=Location(name="london"))
    place.engine.run(5.0)
    assert place.said == [(State.DOWN, False)]


def test_outcomes_that_wait_share_a_run(place: Place) -> None:
    place.perform(500)
    place.engine.run(5.0)
    assert place.said == [(State.UNKNOWN, True)] * 500
    assert place.engine.tries() == 1


def test_a_run_that_began_before_the_attempt_does_not_count(place: Place) -> None:
    """The line may have gone down since."""
    place.engine.answers[SHOP.url] = (0.01, State.DOWN)
    place.engine.answers[CONTROLS[0].url] = (0.1, State.UP)
    place.perform()
    place.engine.run(0.05)
    place.perform()
    place.engine.run(PITCH + 1.0)
    assert place.said == [(State.DOWN, False)] * 2
    assert place.engine.tries() == 2


def test_control_targets_are_not_tried_more_often_than_the_pitch(place: Place) -> None:
    place.engine.answers[SHOP.url] = (0.001, State.DOWN)
    place.engine.answers[CONTROLS[0].url] = (0.001, State.UP)
    for _ in range(200):
        place.perform()
        place.engine.run(0.05)
    place.engine.run(1.0)
    assert len(place.outcomes) == 200
    assert place.engine.tries() <= 10.0 / PITCH + 2


def test_the_round_gets_its_answer_in_time_even_where_control_targets_hang(place: Place) -> None:
    place.perform(left=1.2)
    place.engine.run(5.0)
    assert place.said == [(State.UNKNOWN, True)]
    assert place.ended[0] <= 1.2 + ALLOWANCE + 1e-6


def test_an_offline_location_is_known_to_be_back_without_any_check(place: Place) -> None:
    place.perform()
    place.engine.run(4.0)
    assert place.told == [True]
    place.engine.answers[CONTROLS[0].url] = (0.01, State.UP)
    place.engine.run(AGAIN + 1.0)
    assert place.told == [True, False]
    tries = place.engine.tries()
    place.engine.run(60.0)
    assert place.engine.tries() == tries, "and then they are left alone"


def test_a_location_that_lost_its_control_targets_is_not_offline(place: Place) -> None:
    place.perform()
    place.engine.run(4.0)
    place.perform(location=Location(name="london"))
    place.engine.run(1.5)
    assert place.told == [True, False]
    tries = place.engine.tries()
    place.engine.run(60.0)
    assert place.engine.tries() == tries
