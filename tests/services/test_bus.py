"""What the bus promises, over every broker with its real server."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from kombu import Connection

from nightowl.adapters.celery_bus.app import REPORT, BrokerSettings
from nightowl.core.batches import split
from nightowl.core.portions import PortionReport
from nightowl.core.values import Batch, Expect, Job, Network, Outcome, Policy, Target, Warn
from tests.services.bus_parts import (
    CLOCK,
    Intake,
    acting,
    all_good,
    batch,
    directing,
    evaluating,
    portions,
    up,
    wait_for,
)

REMEMBERING = ("redis", "rabbitmq", "mariadb", "postgresql", "sqlite", "filesystem")
"""Brokers that deliver again what was not marked done. The embedded one ends with its process."""


@pytest.fixture(
    params=[
        "memory",
        "filesystem",
        "sqlite",
        pytest.param("redis", marks=pytest.mark.redis),
        pytest.param("rabbitmq", marks=pytest.mark.rabbitmq),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
        pytest.param("postgresql", marks=pytest.mark.postgresql),
    ]
)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def settings(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> BrokerSettings:
    return BrokerSettings(url=broker(kind, request, tmp_path))


@pytest.fixture
def locations(kind: str) -> Callable[[int], list[str]]:
    """Names for locations that no other test has used: the embedded broker is one for the process."""
    stem = f"place-{next(NUMBERS)}"
    return lambda count: [f"{stem}-{n}" for n in range(count)]


@pytest.fixture
def location(locations: Callable[[int], list[str]]) -> str:
    return locations(1)[0]


pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Celery leaves sockets open

NUMBERS: Iterator[int] = iter(range(1_000_000))


def broker(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    if kind == "memory":
        with Connection("memory://") as connection:
            connection.channel().queue_purge(REPORT)  # a late report of the test before
        return "memory://"
    if kind == "filesystem":
        return f"filesystem://{folder}/bus"
    if kind == "sqlite":
        return f"sqlite:///{folder}/bus.db"
    url: str = request.getfixturevalue(f"{kind}_url")
    return url


def test_a_batch_reaches_an_actor_and_its_outcomes_come_back(settings: BrokerSettings, location: str) -> None:
    with acting(settings, [location]), directing(settings, [location]) as bus:
        bus.dispatch(batch("1.1", location))
        intake = Intake(bus)
        intake.wait_for(outcomes=3)
        assert {outcome.check for outcome in intake.outcomes} == {"check-000", "check-001", "check-002"}
        assert intake.takers == {"1.1": "alice"}
        assert bus.fault == ""


def test_reports_that_were_not_done_come_again(settings: BrokerSettings, kind: str, location: str) -> None:
    if kind not in REMEMBERING:
        pytest.skip("the embedded broker forgets")
    with directing(settings, [location]) as bus, acting(settings, [location]):
        bus.dispatch(batch("1.1", location))
        intake = Intake(bus)

        def reported() -> int:
            intake.take(done=False)
            return len(intake.outcomes)

        wait_for(reported)
        bus.led(False)
        bus.led(True)
        again = Intake(bus)
        again.wait_for(outcomes=3)
        assert {outcome.round for outcome in again.outcomes} == {outcome.round for outcome in intake.outcomes}


def test_reports_that_were_done_do_not_come_again(settings: BrokerSettings, location: str) -> None:
    with directing(settings, [location]) as bus, acting(settings, [location]):
        bus.dispatch(batch("1.1", location))
        Intake(bus).wait_for(outcomes=3)
        bus.led(False)
        bus.led(True)
        again = Intake(bus)

        def beaten() -> bool:
            again.take()
            return len(again.received) >= 2

        wait_for(beaten)
        assert again.outcomes == []


def test_the_same_batch_twice_runs_once(settings: BrokerSettings, location: str) -> None:
    runs: Counter[str] = Counter()

    def count(job: Job, where: str, done: Callable[[Outcome], None]) -> None:
        runs[job.check] += 1
        up(job, where, done)

    with acting(settings, [location], count), directing(settings, [location]) as bus:
        twice = batch("1.1", location)
        bus.dispatch(twice)
        intake = Intake(bus)
        intake.wait_for(outcomes=3)
        bus.dispatch(twice)
        bus.dispatch(batch("1.2", location, jobs=4))
        intake.wait_for(outcomes=7)
        assert runs == {"check-000": 2, "check-001": 2, "check-002": 2, "check-003": 1}


def test_one_actor_serves_several_locations(settings: BrokerSettings, locations: Callable[[int], list[str]]) -> None:
    names = locations(3)
    with acting(settings, names), directing(settings, names) as bus:
        for n, name in enumerate(names):
            bus.dispatch(batch(f"1.{n}", name))
        intake = Intake(bus)
        intake.wait_for(outcomes=9)
        assert Counter(outcome.location for outcome in intake.outcomes) == dict.fromkeys(names, 3)


def test_several_actors_share_a_queue(settings: BrokerSettings, location: str) -> None:
    gate = threading.Event()

    def wait(job: Job, where: str, done: Callable[[Outcome], None]) -> None:
        gate.wait(30)
        up(job, where, done)

    with (
        acting(settings, [location], wait, name="alice"),
        acting(settings, [location], wait, name="bob"),
        directing(settings, [location]) as bus,
    ):
        intake = Intake(bus)

        def both() -> bool:
            intake.take()
            return intake.actors >= {"alice", "bob"}

        wait_for(both)
        numbers = count()

        def shared() -> bool:
            """One of them may be quick enough to take many before the other looks."""
            bus.dispatch(batch(f"1.{next(numbers)}", location, jobs=1))
            intake.take()
            return set(intake.takers.values()) == {"alice", "bob"}

        wait_for(shared)
        gate.set()
        sent = next(numbers)
        intake.wait_for(outcomes=sent)
        assert len(intake.takers) == sent


def test_the_backlog_is_what_waits_in_the_queue(
    settings: BrokerSettings, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightowl.adapters.celery_bus.receiver.MEASURE", 0.5)
    with directing(settings, [location]) as bus:
        for n in range(7):
            bus.dispatch(batch(f"1.{n}", location, jobs=1))
        wait_for(lambda: bus.backlog(location) == 7, what=lambda: bus.backlog(location))
        with acting(settings, [location]):
            Intake(bus).wait_for(outcomes=7)
            wait_for(lambda: bus.backlog(location) == 0, what=lambda: bus.backlog(location))


def test_the_largest_batches_fit(settings: BrokerSettings, location: str) -> None:
    """Headers and bodies that do not compress, in batches as large as the director makes them."""
    target = Target(
        kind="http",
        url="https://shop.example/" + "ü" * 400,
        headers={f"X-Header-{n}": "\U0001f989" * 40 for n in range(20)},
        body="\x00\x7f\u20ac" * 2000,
        expect=Expect(body='"\\' * 100, json={"$.a": '"' * 100}),
        warn=Warn(duration=1.0),
    )
    jobs = [*batch(jobs=60, target=target).jobs, *batch(jobs=1, target=Target(kind="http", url="x" * 300_000)).jobs]
    policy = Policy(allow=tuple(Network(f"10.{n}.0.0/16", (80, 443)) for n in range(200)))
    now = CLOCK.now()
    with acting(settings, [location]), directing(settings, [location]) as bus:
        for n, run in enumerate(split(jobs)):
            bus.dispatch(Batch(id=f"1.{n}", location=location, issued=now, expires=now + 60, jobs=run, policy=policy))
        Intake(bus).wait_for(outcomes=len(jobs))
        assert bus.fault == ""


def test_a_batch_of_200_usual_jobs_comes_back_in_one_report_or_few(settings: BrokerSettings, location: str) -> None:
    target = Target(kind="http", url="https://shop.example/login", headers={"Accept": "text/html"})
    with acting(settings, [location]), directing(settings, [location]) as bus:
        work = batch("1.1", location, jobs=200, target=target)
        assert len(list(split(work.jobs))) == 1
        bus.dispatch(work)
        intake = Intake(bus)
        intake.wait_for(outcomes=200)
        assert len({outcome.round for outcome in intake.outcomes}) == 200


def test_evaluators_are_asked_and_tell(settings: BrokerSettings) -> None:
    with evaluating(settings, all_good) as evaluator, directing(settings, []) as bus:
        told: list[PortionReport] = []

        def come(condition: Callable[[], object]) -> Callable[[], object]:
            def look() -> object:
                told.extend(bus.told(1000))
                return condition()

            return look

        wait_for(come(lambda: "eve" in {report.evaluator for report in told}), what="it gives no sign of life")
        bus.ask(portions("1.1", 200))
        results = [f"{number:036}" for number in range(200)]
        wait_for(come(lambda: [each.identifier for report in told for each in report.results] == results))
        assert {report.batch for report in told} == {"", "1.1"}
        assert (bus.fault, evaluator.fault) == ("", "")


def test_a_location_may_have_a_broker_of_its_own(
    settings: BrokerSettings, locations: Callable[[int], list[str]], tmp_path: Path
) -> None:
    near, far = locations(2)
    own = BrokerSettings(url=f"filesystem://{tmp_path}/far")
    with ExitStack() as stack:
        stack.enter_context(acting(settings, [near], name="near"))
        stack.enter_context(acting(own, [far], name="far"))
        bus = stack.enter_context(directing(settings, {near: "", far: own.url}))
        bus.dispatch(batch("1.1", near))
        bus.dispatch(batch("1.2", far))
        intake = Intake(bus)
        intake.wait_for(outcomes=6)
        assert intake.takers == {"1.1": "near", "1.2": "far"}
        wait_for(lambda: (bus.backlog(near), bus.backlog(far)) == (0, 0))


@pytest.mark.redis
def test_what_a_killed_director_had_taken_comes_again_over_redis(redis_url: str) -> None:
    settings = BrokerSettings(url=redis_url, transport_options={"visibility_timeout": 1})
    with acting(settings), directing(settings) as dead:
        dead.dispatch(batch("1.1"))
        lost = Intake(dead)

        def taken() -> int:
            lost.take(done=False)
            return len(lost.outcomes)

        wait_for(taken)
        with directing(settings) as bus:
            again = Intake(bus)

            def returned() -> bool:
                lost.take()
                again.take()
                return len(lost.outcomes) + len(again.outcomes) >= 6

            wait_for(returned, 60)
