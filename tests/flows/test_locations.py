"""Locations and actors that go wrong: named as NightOwl's own incidents, and never blamed on a target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from nightowl.config import rule_from_spec
from nightowl.core import schedule
from nightowl.core.values import Attempt, Check, Incident, Location, Outcome, Report, State, Target, Verdict
from nightowl.flows.lead import Leader
from nightowl.flows.leadership import Parts, Plan
from nightowl.ports import Store, StoredCheck
from nightowl.testing.bus import ListBus
from nightowl.testing.clock import ManualClock
from nightowl.testing.store import memory_store

LOCATIONS = ("london", "paris", "tokyo")
EVERY = 10.0


def compiled(stored: StoredCheck) -> Check:
    target = Target(kind="http", url="http://shop.example/", timeout=2.0)
    return Check(name=stored.name, target=target, locations=LOCATIONS, every=EVERY, attempts=1)


class World:
    """A director, and an actor at each location that answers, beats and can be told what to say."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.bus = ListBus()
        self.clock = ManualClock()
        self.leader = self.new_leader("one")
        self.actors = {location: f"{location}.1" for location in LOCATIONS}
        self.offline: set[str] = set()
        self.skew: dict[str, float] = {}
        self.state = State.UP
        with store.transaction() as unit:
            unit.checks.put(StoredCheck(name="shop", origin="file", paused=False, spec={}))

    def new_leader(self, holder: str) -> Leader:
        plan = Plan(locations={name: Location(name=name) for name in LOCATIONS}, routes=())
        parts = Parts(
            store=self.store,
            bus=self.bus,
            clock=self.clock,
            compile_check=compiled,
            compile_rule=lambda stored: rule_from_spec(stored.name, stored.spec),
            plan=lambda: plan,
            ears=lambda _cluster, _since: None,
        )
        return Leader(parts, holder=holder)

    def succeed(self) -> None:
        """Let another director lead: the one before gives back its lease and does nothing more."""
        self.leader.stop()
        self.leader = self.new_leader("another")

    def run(self, seconds: float) -> None:
        for step in range(round(seconds / 0.25)):
            self.clock.advance(0.25)
            self.leader.tick()
            if not self.bus.away:
                self._answer()
                if step % 4 == 0:
                    for location in self.actors:
                        self.say(location)

    def say(self, location: str, **keys: Any) -> None:
        sent = self.clock.now() + self.skew.get(location, 0.0)
        offline = location in self.offline
        self.bus.report(Report(actor=self.actors[location], location=location, sent=sent, offline=offline, **keys))

    def _answer(self) -> None:
        batches, self.bus.sent = self.bus.sent, []
        for batch in batches:
            if batch.location in self.actors:
                found = tuple(self._outcome(job.check, job.due, batch.location) for job in batch.jobs)
                self.say(batch.location, taken=(batch.id,), outcomes=found)
            else:
                self.bus.sent.append(batch)

    def _outcome(self, check: str, due: float, location: str) -> Outcome:
        offline = location in self.offline
        state = State.DOWN if offline else self.state
        started = self.clock.now() + self.skew.get(location, 0.0)
        attempt = Attempt(state=state, started=started, duration=0.1, reason="connect.timeout" if offline else "")
        outcome = Outcome(check=check, due=due, location=location, state=state, attempts=(attempt,), kept=0)
        return replace(outcome, state=State.UNKNOWN, offline=True) if offline else outcome

    def incidents(self) -> dict[str, bool]:
        """Whether it is open, by subject, of all incidents ever."""
        with self.store.read() as unit:
            found: list[Incident] = unit.incidents.page(open_only=False, subject="", offset=0, limit=100)[0]
        assert len({each.subject for each in found}) == len(found), "none opened twice"
        return {each.subject: each.open for each in found}

    def verdicts(self) -> list[Verdict]:
        with self.store.read() as unit:
            return unit.rounds.verdicts("shop", 0.0, 1e11, 1000)

    def latest(self) -> dict[tuple[str, str], float]:
        with self.store.read() as unit:
            return {(s.metric, s.labels[0][1] if s.labels else ""): s.value for s in unit.series.latest(0.0)}


@pytest.fixture
def world() -> Iterator[World]:
    store = memory_store()
    yield World(store)
    store.close()


def test_an_offline_location_is_named_once_and_its_targets_are_not(world: World) -> None:
    world.run(30.0)
    world.offline = {"tokyo"}
    world.run(60.0)
    assert world.incidents() == {"location/tokyo": True}
    last = world.verdicts()[-1]
    assert (last.state, last.dissent) == (State.UP, ())
    assert [(place.location, place.offline, place.voted) for place in last.places][2] == ("tokyo", True, False)
    world.offline = set()
    world.run(20.0)
    assert world.incidents() == {"location/tokyo": False}


def test_a_check_whose_locations_are_all_offline_is_unknown(world: World) -> None:
    world.run(30.0)
    world.offline = set(LOCATIONS)
    world.run(30.0)
    assert world.verdicts()[-1].state is State.UNKNOWN
    assert set(world.incidents()) == {f"location/{name}" for name in LOCATIONS}


def test_an_actor_that_falls_silent_is_named_before_the_round_is_over_and_resolved_when_it_is_back(
    world: World,
) -> None:
    world.run(30.0)
    gone = world.actors.pop("tokyo")
    world.run(11.5)
    assert world.incidents()[f"actor/tokyo/{gone}"]
    world.run(15.0)
    assert world.incidents() == {f"actor/tokyo/{gone}": True, "location/tokyo": True}
    world.actors["tokyo"] = gone
    world.run(15.0)
    assert world.incidents() == {f"actor/tokyo/{gone}": False, "location/tokyo": False}
    assert {each.state for each in world.verdicts()} == {State.UP}


def test_an_actor_that_says_goodbye_is_replaced_quietly(world: World) -> None:
    world.run(30.0)
    world.say("tokyo", leaving=True)
    del world.actors["tokyo"]
    world.run(5.0)
    world.actors["tokyo"] = "elsewhere.1"
    world.run(60.0)
    assert world.incidents() == {}


def test_an_actor_that_crashed_for_good_is_not_told_for_ever(world: World) -> None:
    world.run(30.0)
    gone = world.actors["tokyo"]
    world.actors["tokyo"] = "elsewhere.1"
    world.run(30.0)
    assert world.incidents() == {f"actor/tokyo/{gone}": True}
    world.run(600.0)
    assert world.incidents() == {f"actor/tokyo/{gone}": False}
    with world.store.read() as unit:
        assert gone not in [each.name for each in unit.actors.all()]


def test_a_whole_installation_that_crashed_and_was_started_again_is_quiet(world: World) -> None:
    world.run(30.0)
    world.clock.advance(60.0)
    world.actors = {location: f"{location}.2" for location in LOCATIONS}
    world.succeed()
    world.run(60.0)
    assert world.incidents() == {}


def test_a_successor_misses_the_actor_that_died_with_its_predecessor(world: World) -> None:
    world.run(30.0)
    gone = world.actors.pop("tokyo")
    world.run(1.0)
    world.succeed()
    world.run(25.0)
    assert world.incidents()[f"actor/tokyo/{gone}"]


def test_what_was_open_about_actors_is_neither_closed_nor_opened_again_by_a_successor(world: World) -> None:
    world.run(30.0)
    gone = world.actors.pop("tokyo")
    world.run(40.0)
    world.succeed()
    world.run(60.0)
    assert world.incidents() == {f"actor/tokyo/{gone}": True, "location/tokyo": True}


def test_nobody_is_missed_while_the_broker_is_away(world: World) -> None:
    world.run(30.0)
    world.bus.away = True
    world.run(60.0)
    assert not [subject for subject in world.incidents() if subject.startswith(("actor/", "location/"))]
    world.bus.away = False
    world.run(60.0)
    assert not any(world.incidents().values())


def test_nobody_is_missed_after_the_director_itself_stood_still(world: World) -> None:
    world.run(30.0)
    world.clock.advance(5.0)
    world.actors, everybody = {}, world.actors
    world.run(8.0)
    world.actors = everybody
    world.run(10.0)
    assert world.incidents() == {}


def test_a_wrong_clock_is_told_and_moments_are_corrected(world: World) -> None:
    world.skew = {"tokyo": 40.0, "paris": -3.0}
    world.run(60.0)
    assert world.incidents() == {"clock/tokyo/tokyo.1": True}
    with world.store.read() as unit:
        seen = {each.location: each.skew for each in unit.actors.all()}
        due = world.verdicts()[-1].due
        late = [abs(each.attempts[0].started - due) for each in unit.rounds.outcomes("shop", due)]
    assert seen["tokyo"] == pytest.approx(40.0, abs=0.3)
    assert seen["paris"] == pytest.approx(-3.0, abs=0.3)
    assert max(late) < 1.0
    assert world.latest()["nightowl_round_spread_seconds", "0.95"] < 1.0
    world.skew = {}
    world.run(150.0)
    assert world.incidents() == {"clock/tokyo/tokyo.1": False}


def test_every_round_is_closed_or_counted_as_missed_across_restarts(world: World) -> None:
    begin = world.clock.now()
    for down in (0.0, 7.0, 95.0, 3.0, 41.0):
        world.run(33.0)
        world.clock.advance(down)
        world.succeed()
        world.run(8.0)
    world.run(20.0)
    verdicts = world.verdicts()
    first, last = verdicts[0].due, verdicts[-1].due
    regular = [each.due for each in verdicts if schedule.next_due("shop", EVERY, each.due - 0.0005) == each.due]
    span = [due for due in regular if due > first]
    due, wanted = schedule.next_due("shop", EVERY, first), 0
    while due <= last:
        wanted, due = wanted + 1, schedule.next_due("shop", EVERY, due)
    with world.store.read() as unit:
        missed = unit.rounds.missed()
    assert missed > 0
    assert len(span) + missed == wanted
    assert begin < first


def test_results_that_were_refused_are_counted(world: World) -> None:
    world.run(30.0)
    made_up = Outcome(check="made-up", due=1.0, location="tokyo", state=State.UNKNOWN, attempts=())
    absurd = replace(made_up, kept=9)
    foreign = replace(made_up, location="paris")
    world.say("tokyo", outcomes=(made_up, absurd, foreign))
    world.run(15.0)
    latest = world.latest()
    refused = [latest["nightowl_results_refused_total", why] for why in ("unasked", "malformed", "foreign")]
    assert refused == [1.0, 1.0, 1.0]
