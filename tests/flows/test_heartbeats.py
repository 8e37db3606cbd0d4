"""A leader and the calls of jobs: deadlines to the second, incidents, downtime."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nightowl.config import rule_from_spec
from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.core.values import Check, Heartbeat, Ping, Route, State, Target, Verdict
from nightowl.flows.lead import Leader
from nightowl.flows.leadership import Parts, Plan
from nightowl.ports import Store, StoredCheck
from nightowl.testing.bus import ListBus
from nightowl.testing.clock import ManualClock
from nightowl.testing.store import memory_store


def compiled(stored: StoredCheck) -> Check:
    if "broken" in stored.spec:
        raise ConfigurationError([Mistake(file="", key="check.backup.every", found="nothing", allowed="a duration")])
    plan = Heartbeat(every=stored.spec.get("every", 60.0), grace=10.0)
    target = Target(kind="heartbeat", url="")
    return Check(name=stored.name, target=target, locations=(), heartbeat=plan, down_after=1, paused=stored.paused)


class World:
    """A director with a heartbeat called ``backup``."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = ManualClock()
        self.leader = self.new_leader("one")
        self.define()

    def new_leader(self, holder: str) -> Leader:
        plan = Plan(locations={}, routes=(Route(name="default", to=("ops",)),))
        parts = Parts(
            store=self.store,
            bus=ListBus(),
            clock=self.clock,
            compile_check=compiled,
            compile_rule=lambda stored: rule_from_spec(stored.name, stored.spec),
            plan=lambda: plan,
            ears=lambda _cluster, _since: None,
        )
        return Leader(parts, holder=holder)

    def define(self, *, paused: bool = False, **spec: float) -> None:
        with self.store.transaction() as unit:
            unit.checks.put(StoredCheck(name="backup", origin="stored", paused=paused, spec=spec))

    def call(self, signal: str = "success", exit_code: int | None = None) -> float:
        """Let the job call now; return the moment."""
        now = self.clock.now()
        with self.store.transaction() as unit:
            unit.heartbeats.add(Ping(check="backup", at=now, signal=signal, exit_code=exit_code))  # type: ignore[arg-type]  # a word of the test's own
        return now

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.25)):
            self.clock.advance(0.25)
            self.leader.tick()

    def verdicts(self) -> list[Verdict]:
        with self.store.read() as unit:
            return unit.rounds.verdicts("backup", 0.0, 1e11, 1000)

    def incidents(self) -> list[tuple[str, bool]]:
        with self.store.read() as unit:
            found, _ = unit.incidents.page(open_only=False, subject="", offset=0, limit=100)
        return [(each.summary, each.open) for each in found]


@pytest.fixture
def world() -> Iterator[World]:
    store = memory_store()
    world = World(store)
    world.run(2.0)
    yield world
    store.close()


def test_a_job_that_never_called_is_waited_for(world: World) -> None:
    world.run(300.0)
    assert (world.verdicts(), world.incidents()) == ([], [])


def test_a_call_ends_a_round_within_a_second(world: World) -> None:
    called = world.call()
    world.run(1.0)
    assert [(each.due, each.state) for each in world.verdicts()] == [(round(called, 3), State.UP)]


def test_a_call_from_a_clock_that_is_ahead_ends_no_period_and_hides_none(world: World) -> None:
    world.call()
    world.run(50.0)
    with world.store.transaction() as unit:
        unit.heartbeats.add(Ping(check="backup", at=world.clock.now() + 86400.0, signal="success"))
    world.run(60.0)
    assert [each.state for each in world.verdicts()] == [State.UP, State.UP]
    world.run(15.0)
    assert {each.state for each in world.verdicts()} == {State.UP, State.DOWN}


def test_a_deadline_that_passes_opens_an_incident_and_a_success_resolves_it(world: World) -> None:
    called = world.call()
    world.run(70.0)
    assert world.incidents() == []
    world.run(1.5)
    assert [(each.due, each.state) for each in world.verdicts()][1:] == [(round(called + 70.0, 3), State.DOWN)]
    ((summary, is_open),) = world.incidents()
    assert is_open
    assert summary.startswith("backup is down: the job was expected ")
    world.call()
    world.run(1.0)
    assert [is_open for _, is_open in world.incidents()] == [False]
    with world.store.read() as unit:
        incident = unit.incidents.page(open_only=False, subject="", offset=0, limit=1)[0][0]
        assert [row.notice.step for row in unit.outbox.of(incident.id)] == ["firing", "resolved"]


def test_a_failure_opens_an_incident_at_once(world: World) -> None:
    world.call("fail", 2)
    world.run(1.0)
    assert world.incidents() == [("backup is down: the job ended with exit code 2", True)]


def test_every_missed_period_is_a_round(world: World) -> None:
    called = world.call()
    world.run(60.0 * 4 + 15.0)
    assert [each.due - round(called, 3) for each in world.verdicts()] == pytest.approx([0.0, 70.0, 130.0, 190.0, 250.0])


def test_a_call_that_was_stored_while_the_deadline_passed_counts(world: World) -> None:
    world.call()
    world.run(69.75)
    world.clock.advance(0.2)
    world.call()
    world.clock.advance(0.3)
    world.leader.tick()
    world.run(2.0)
    assert {each.state for each in world.verdicts()} == {State.UP}


def test_nightowls_own_downtime_moves_the_deadline(world: World) -> None:
    called = world.call()
    world.run(30.0)
    world.leader.stop()
    world.clock.advance(3600.0)
    world.leader = world.new_leader("two")
    world.run(39.0)
    assert len(world.verdicts()) == 1
    world.run(3.0)
    assert world.verdicts()[-1].due == pytest.approx(called + 70.0 + 3600.0, abs=1.5)


def test_a_call_during_downtime_is_taken_up_and_counted_from_its_own_moment(world: World) -> None:
    world.call()
    world.run(30.0)
    world.leader.stop()
    world.clock.advance(1800.0)
    called = world.call()
    world.clock.advance(1800.0)
    world.leader = world.new_leader("two")
    world.run(60.0)
    assert [each.due for each in world.verdicts()][1:] == [round(called, 3)]
    world.run(12.0)
    assert world.verdicts()[-1].due == pytest.approx(called + 70.0 + 1800.0, abs=1.5)


def test_a_short_pause_of_the_loop_moves_nothing(world: World) -> None:
    called = world.call()
    world.run(30.0)
    world.clock.advance(2.0)
    world.run(40.0)
    assert world.verdicts()[-1].due == round(called + 70.0, 3)


def test_a_paused_heartbeat_rests_and_is_counted_anew_once_resumed(world: World) -> None:
    world.call("fail")
    world.run(5.0)
    world.define(paused=True)
    world.run(200.0)
    assert [is_open for _, is_open in world.incidents()] == [False]
    assert len(world.verdicts()) == 1
    world.define()
    world.run(69.0)
    assert len(world.verdicts()) == 1
    world.run(3.0)
    assert world.verdicts()[-1].reason == "heartbeat.late"


def test_a_heartbeat_that_cannot_run_for_a_while_is_counted_anew_too(world: World) -> None:
    world.call()
    world.run(2.0)
    world.define(broken=1.0)
    world.run(300.0)
    world.define()
    world.run(69.0)
    assert len(world.verdicts()) == 1
    world.run(3.0)
    assert len(world.verdicts()) == 2


def test_a_removed_heartbeat_is_forgotten_with_the_calls_that_wait(world: World) -> None:
    world.call()
    world.run(1.0)
    with world.store.transaction() as unit:
        unit.heartbeats.add(Ping(check="backup", at=world.clock.now(), signal="fail"))
        unit.checks.remove("backup")
    world.run(100.0)
    assert world.incidents() == []
    world.define()
    world.run(200.0)
    assert world.verdicts() == []


def test_nobody_is_asked_about_a_heartbeat(world: World) -> None:
    with world.store.transaction() as unit:
        unit.feed.add("request", "run:backup")
    world.run(5.0)
    assert world.verdicts() == []
    with world.store.read() as unit:
        assert unit.rounds.open_tickets() == []
