"""The director's flows over an in-memory store and a bus of lists: one thread, no network, no waiting."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from nightowl.config import rule_from_spec
from nightowl.core.cluster.finding import Finding
from nightowl.core.cluster.state import ClusterState
from nightowl.core.errors import ConfigurationError, LeaseLost, Mistake, StoreUnavailable
from nightowl.core.limits import Limit
from nightowl.core.rule import Rule
from nightowl.core.series import MOST_SERIES
from nightowl.core.values import (
    Attempt,
    Check,
    Incident,
    Location,
    Report,
    Route,
    Sample,
    Severity,
    Silence,
    State,
    Target,
)
from nightowl.flows.faults import CALM
from nightowl.flows.lead import TERM, TROUBLED, Leader
from nightowl.flows.leadership import Parts, Plan
from nightowl.ports import Store, StoredCheck, StoredRule
from nightowl.testing.bus import ListBus, ListedDelivery, Script, answer
from nightowl.testing.clock import ManualClock
from nightowl.testing.clusters import KeptStates
from nightowl.testing.store import memory_store

LOCATIONS = ("london", "new-york", "tokyo")


def verdict_of(state: State, reason: str = "") -> Script:
    return lambda _location, job: Attempt(state=state, started=job.due, duration=0.1, reason=reason)


UP, DOWN = verdict_of(State.UP), verdict_of(State.DOWN, "connect.refused")


def compiled(stored: StoredCheck) -> Check:
    if "broken" in stored.spec:
        raise ConfigurationError([Mistake(file="", key="check.shop.url", found="nothing", allowed="a URL")])
    target = Target(kind="http", url="http://shop.example/", timeout=2.0)
    return Check(
        name=stored.name,
        target=target,
        locations=LOCATIONS,
        every=10.0,
        attempts=1,
        paused=stored.paused,
        depends_on=tuple(stored.spec.get("depends_on", ())),
    )


class World:
    """A director with what it works on."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.bus = ListBus()
        self.clock = ManualClock()
        self.led: list[bool] = []
        self.rules: dict[str, Rule] = {}
        self.max_series = MOST_SERIES
        self.states = KeptStates()
        self.clusters: dict[str, tuple[str, ...]] = {}
        self.leader = self.new_leader("one")

    def new_leader(self, holder: str) -> Leader:
        plan = Plan(
            locations={name: Location(name=name) for name in LOCATIONS},
            routes=(Route(name="default", to=("ops",)),),
            rules=self.rules,
            max_series=self.max_series,
            clusters=self.clusters,
        )
        parts = Parts(
            store=self.store,
            bus=self.bus,
            clock=self.clock,
            compile_check=compiled,
            compile_rule=lambda stored: rule_from_spec(stored.name, stored.spec),
            states=self.states,
            plan=lambda: plan,
            ears=lambda _cluster, _since: None,
        )
        return Leader(parts, holder=holder, led=self.led.append)

    def define(self, name: str = "shop", **keys: object) -> None:
        spec = {"url": "http://shop.example/", **{k: v for k, v in keys.items() if k != "paused"}}
        with self.store.transaction() as unit:
            unit.checks.put(StoredCheck(name=name, origin="file", paused=bool(keys.get("paused")), spec=spec))

    def run(self, seconds: float, script: Script | None = None, leader: Leader | None = None) -> None:
        """Let time pass in steps of 50 ms; with a script an actor answers at once, and beats at every location."""
        for step in range(round(seconds / 0.05)):
            self.clock.advance(0.05)
            (leader or self.leader).tick()
            (leader or self.leader).evaluate()
            if script is not None:
                answer(self.bus, script)
                if step % 20 == 0:
                    self.beat(*LOCATIONS)

    def beat(self, *locations: str, actor: str = "actor", **keys: Any) -> None:
        """Let an actor say that it is there."""
        for location in locations:
            self.bus.report(Report(actor=actor, location=location, sent=self.clock.now(), **keys))

    def run_until_sent(self) -> None:
        """Let time pass until one round has gone out."""
        while not self.bus.sent:
            self.run(0.05)

    def incidents(self) -> list[Incident]:
        with self.store.read() as unit:
            return unit.incidents.page(open_only=False, subject="", offset=0, limit=100)[0]

    def verdicts(self, name: str = "shop") -> list[State]:
        with self.store.read() as unit:
            return [each.state for each in unit.rounds.verdicts(name, 0.0, 1e11, 1000)]


@pytest.fixture
def world() -> Iterator[World]:
    store = memory_store()
    yield World(store)
    store.close()


def test_what_a_watcher_found_and_that_it_fell_silent_are_incidents_of_the_leader(world: World) -> None:
    world.clusters = {"shop": ()}
    leader = world.new_leader("other")
    silent = Finding(
        detector="worker_silent", rest="w", since=world.clock.now(), severity=Severity.CRITICAL, sentence="worker w"
    )
    world.states.kept["shop"] = ClusterState(name="shop", at=world.clock.now(), since=0.0, findings=(silent,))
    world.run(5.0, leader=leader)
    assert [(each.kind, each.subject) for each in world.incidents()] == [("cluster", "shop/worker_silent/w")]
    world.run(35.0, leader=leader)
    assert {each.subject for each in world.incidents() if each.open} == {"shop/worker_silent/w", "cluster/shop"}
    world.states.kept["shop"] = ClusterState(name="shop", at=world.clock.now(), since=0.0)
    world.run(5.0, leader=leader)
    assert not [each for each in world.incidents() if each.open]


def test_a_round_is_one_batch_a_location_and_ends_in_a_verdict(world: World) -> None:
    world.define()
    world.run(31.0, UP)
    assert world.verdicts() in ([State.UP] * 3, [State.UP] * 4)
    with world.store.read() as unit:
        last = unit.rounds.verdicts("shop", 0.0, 1e11, 1)[0]
        assert [o.location for o in unit.rounds.outcomes("shop", last.due)] == list(LOCATIONS)
        assert unit.rounds.open_tickets() == [] or world.verdicts()


def test_an_incident_opens_is_told_and_resolves(world: World) -> None:
    world.define()
    world.run(25.0, DOWN)
    (incident,) = world.incidents()
    assert (incident.kind, incident.subject, incident.open) == ("check", "shop", True)
    world.run(15.0, UP)
    (incident,) = world.incidents()
    assert not incident.open
    with world.store.read() as unit:
        assert [(row.notice.step, row.notice.channel) for row in unit.outbox.of(incident.id)] == [
            ("firing", "ops"),
            ("resolved", "ops"),
        ]


def told(world: World) -> list[str]:
    """Who was told what, by subject."""
    with world.store.read() as unit:
        rows = {each.subject: unit.outbox.of(each.id) for each in world.incidents()}
    return sorted(f"{row.notice.step} {subject}" for subject, found in rows.items() for row in found)


def test_a_check_whose_parent_is_down_too_opens_without_a_word(world: World) -> None:
    world.define("router")
    world.define("shop", depends_on=["router"])
    world.run(60.0, DOWN)
    assert {each.subject: each.suppressed and each.suppressed.by for each in world.incidents()} == {
        "router": None,
        "shop": "router",
    }
    assert told(world) == ["firing router"]
    world.run(40.0, UP)
    assert told(world) == ["firing router", "resolved router"]


def test_a_silence_holds_back_and_lets_go_through_a_change_of_leaders(world: World) -> None:
    world.define()
    now = world.clock.now()
    with world.store.transaction() as unit:
        unit.silences.add(Silence(match={"name": "shop"}, start=now, end=now + 60.0))
    world.run(40.0, DOWN)
    assert told(world) == []
    world.leader.stop()
    world.leader = world.new_leader("two")
    world.run(30.0, DOWN)
    assert told(world) == ["firing shop"]
    world.run(15.0, UP)
    assert told(world) == ["firing shop", "resolved shop"]


def test_a_location_that_disagrees_opens_nothing(world: World) -> None:
    world.define()
    world.run(60.0, lambda location, job: (DOWN if location == "tokyo" else UP)(location, job))
    assert world.incidents() == []


def test_a_silent_location_costs_its_vote_and_no_more(world: World) -> None:
    world.define()
    for _ in range(800):
        world.clock.advance(0.05)
        world.leader.tick()
        world.bus.sent = [batch for batch in world.bus.sent if batch.location != "tokyo"]
        answer(world.bus, UP)
    assert set(world.verdicts()) == {State.UP}
    assert [each.subject for each in world.incidents()] == ["location/tokyo"]


def test_checks_that_nobody_runs_become_our_own_incident_and_not_the_targets(world: World) -> None:
    world.define()
    world.define("blog")
    world.run(80.0)
    assert set(world.verdicts()) == {State.UNKNOWN}
    assert {each.kind for each in world.incidents()} == {"own"}
    assert {each.subject for each in world.incidents()} == {"verdicts", *(f"location/{name}" for name in LOCATIONS)}
    world.bus.sent.clear()
    world.run(30.0, UP)
    assert [each for each in world.incidents() if each.open] == []


def test_a_round_is_remembered_before_its_batches_go_out(world: World) -> None:
    """A director that dies right after sending is followed by one that closes the same round."""
    world.define()
    world.run_until_sent()
    world.leader.stop()
    successor = world.new_leader("two")
    world.run(0.2, leader=successor)
    answer(world.bus, UP)
    world.run(1.0, leader=successor)
    assert world.verdicts() == [State.UP]


def test_a_successor_sends_again_what_its_predecessor_sent_in_vain(world: World) -> None:
    world.define()
    world.run_until_sent()
    world.bus.sent.clear()
    world.leader.stop()
    successor = world.new_leader("two")
    for _ in range(100):
        world.run(0.05, leader=successor)
        for name in LOCATIONS:
            world.bus.report(Report(actor="a", location=name, sent=world.clock.now()))
        if world.bus.sent:
            answer(world.bus, UP)
    assert world.verdicts()[0] is State.UP


def test_a_restart_neither_bursts_nor_repeats(world: World) -> None:
    for n in range(50):
        world.define(f"check-{n}")
    world.run(30.0, UP)
    world.leader.stop()
    world.clock.advance(3600.0)
    successor = world.new_leader("two")
    world.run(0.05, leader=successor)
    assert sum(len(batch.jobs) for batch in world.bus.sent) <= 50 * 3 * 0.6
    world.run(12.0, UP, leader=successor)
    for n in range(50):
        with world.store.read() as unit:
            dues = [each.due for each in unit.rounds.verdicts(f"check-{n}", 0.0, 1e11, 100)]
        assert len(dues) == len(set(dues))


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_a_clock_that_is_set_neither_bursts_nor_stalls(world: World, step: float) -> None:
    world.define()
    world.run(12.0, UP)
    world.clock.step(step)
    world.run(35.0, DOWN)
    assert 3 <= world.verdicts().count(State.DOWN) <= 4, "a round each 10 s"
    (incident,) = world.incidents()
    assert incident.open, "streaks go on"
    world.run(12.0, UP)
    assert [each.open for each in world.incidents()] == [False]


def test_only_one_of_two_directors_leads(world: World) -> None:
    world.define()
    other = world.new_leader("two")
    world.run(1.0, UP)
    for _ in range(40):
        other.tick()
    assert world.leader.leading
    assert not other.leading


def usurp(world: World) -> None:
    """Let another take the lease, as if the leader had been paused past its term."""
    with world.store.transaction() as unit:
        holder = unit.leases.holder("director")
        assert holder is not None
        assert 0 < holder[1] <= TERM
        assert world.leader._lease is not None
        unit.leases.release(world.leader._lease)
        assert unit.leases.acquire("director", "usurper", 60.0) is not None


def test_a_leader_whose_lease_was_taken_writes_nothing_more(world: World) -> None:
    """Not even in the turn before it asks for its lease again: the epoch stops the transaction itself."""
    world.define()
    world.run(20.0, DOWN)
    world.run_until_sent()
    seen = len(world.verdicts())
    usurp(world)
    answer(world.bus, DOWN)
    assert world.leader._leadership is not None
    with pytest.raises(LeaseLost):
        world.leader._leadership.tick()
    assert len(world.verdicts()) == seen


def test_a_leader_whose_lease_was_taken_evaluates_nothing_more_and_stands_by(world: World) -> None:
    world.rules["failing"] = Rule(name="failing", metric="check_up", limits=(Limit("below", 1.0),))
    world.define()
    world.run_until_sent()
    world.run(6.0, DOWN)
    usurp(world)
    world.clock.advance(10.0)
    world.leader.evaluate()
    assert world.incidents() == []
    world.leader.tick()
    assert not world.leader.leading


def test_a_fault_of_evaluation_is_told_until_it_is_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.leader.tick()
    with monkeypatch.context() as patched:
        patched.setattr(world.store, "read", unavailable)
        world.leader.evaluate()
        world.leader.evaluate()
        assert world.leader.fault
    world.leader.tick()
    assert world.leader.fault, "directing goes on meanwhile"
    world.clock.advance(TROUBLED)
    world.leader.tick()
    world.leader.evaluate()
    assert not world.leader.fault


def test_a_store_that_is_read_but_not_written_is_told_once_until_it_is_written_again(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="nightowl.flows.lead")
    world.define()
    world.run(20.0, UP)
    caplog.clear()
    with monkeypatch.context() as patched:
        patched.setattr(world.store, "transaction", unavailable)
        world.run(30.0)
        assert world.leader.fault
    world.run(2.0, UP)
    assert not world.leader.fault
    waiting, *others = caplog.messages
    assert waiting.startswith("waiting and trying again: ")
    assert others.count("going on: what was unavailable answers again") == 1


def test_a_leader_that_lost_its_lease_stands_by(world: World) -> None:
    world.define()
    world.run(20.0, DOWN)
    usurp(world)
    world.run(3.0, DOWN)
    assert not world.leader.leading
    assert world.led == [True, False]


def test_reports_wait_on_the_bus_until_they_are_stored(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.define()
    world.run_until_sent()
    answer(world.bus, UP)
    deliveries = list(world.bus.arriving)
    transaction = world.store.transaction
    monkeypatch.setattr(world.store, "transaction", unavailable)
    world.run(1.0)
    assert not any(each.stored for each in deliveries)
    assert world.leader.leading
    monkeypatch.setattr(world.store, "transaction", transaction)
    world.run(2.5)
    assert all(each.stored for each in deliveries)
    assert world.verdicts()[0] is State.UP
    assert [(each.subject, each.open) for each in world.incidents()] == [("store", False)]


def unavailable(*_: object) -> None:
    raise StoreUnavailable("the disk is full")


def test_a_broker_that_is_away_makes_rounds_unknown_and_an_own_incident(world: World) -> None:
    world.define()
    world.bus.away = True
    world.run(30.0)
    assert set(world.verdicts()) == {State.UNKNOWN}
    assert {each.subject for each in world.incidents()} <= {"bus", "verdicts"}
    assert "bus" in [each.subject for each in world.incidents() if each.open]
    world.bus.away = False
    world.run(30.0, UP)
    assert world.verdicts()[-1] is State.UP
    assert [each for each in world.incidents() if each.open] == []


def test_a_check_made_while_leading_runs_soon_and_a_removed_one_stops(world: World) -> None:
    world.run(5.0)
    world.define()
    world.run(7.0, UP)
    assert len(world.verdicts()) >= 1
    with world.store.transaction() as unit:
        unit.checks.remove("shop")
    world.run(1.0, UP)
    world.bus.sent.clear()
    world.run(20.0)
    assert world.bus.sent == []


@pytest.mark.parametrize("leading", [True, False], ids=["leading", "nobody leads"])
@pytest.mark.parametrize("how", ["pause", "remove"])
def test_the_incident_of_a_check_that_stops_is_resolved(world: World, how: str, leading: bool) -> None:
    world.define()
    world.run(25.0, DOWN)
    assert world.incidents()[0].open
    if not leading:
        world.leader.stop()
    with world.store.transaction() as unit:
        if how == "remove":
            unit.checks.remove("shop")
        else:
            unit.checks.put(replace(unit.checks.all()[0], paused=True))
    world.run(2.0, DOWN)
    (incident,) = world.incidents()
    assert not incident.open


def test_run_now_starts_a_round_at_once(world: World) -> None:
    world.define()
    world.run(8.0, UP)
    before = len(world.verdicts())
    world.bus.sent.clear()
    with world.store.transaction() as unit:
        unit.feed.add("request", "run:shop")
    world.run(0.4, UP)
    assert len(world.verdicts()) == before + 1


def test_a_check_that_cannot_be_compiled_is_our_own_incident(world: World) -> None:
    world.define("shop", broken=True)
    world.define("blog")
    world.run(15.0, UP)
    (incident,) = world.incidents()
    assert incident.subject == "check/shop"
    assert world.verdicts("blog")
    world.define("shop")
    world.run(15.0, UP)
    assert not world.incidents()[0].open


def test_a_late_outcome_is_stored_without_a_vote(world: World) -> None:
    world.define()
    world.run_until_sent()
    late, world.bus.sent = world.bus.sent, []
    world.run(9.0)
    world.bus.sent = late
    (due,) = {job.due for batch in late for job in batch.jobs}
    answer(world.bus, DOWN)
    world.run(0.2)
    with world.store.read() as unit:
        assert unit.rounds.late("shop", due) == set(LOCATIONS)
        assert unit.rounds.verdicts("shop", due - 1, due, 1)[0].state is State.UNKNOWN


def test_own_figures_are_series(world: World) -> None:
    world.define()
    world.run(31.0, UP)
    with world.store.read() as unit:
        latest = {(s.metric, s.labels): s.value for s in unit.series.latest(0.0)}
    assert latest["nightowl_rounds_total", (("verdict", "up"),)] >= 2
    assert ("nightowl_queue_length", (("queue", "nightowl.check.london"),)) in latest


def test_a_sink_whose_receiver_takes_nothing_for_minutes_is_an_own_incident_until_it_does(world: World) -> None:
    def tell(up: float) -> None:
        with world.store.transaction() as unit:
            now = world.clock.now()
            unit.series.append("sinks", now, [Sample("nightowl_sink_up", (("sink", "aws"),), now, up)])

    for _ in range(31):
        tell(0.0)
        world.clock.advance(10.0)
    world.run(1.0)
    [told] = world.incidents()
    assert (told.kind, told.subject, told.open) == ("own", "sink/aws", True)
    tell(1.0)
    world.run(11.0)
    assert [each.open for each in world.incidents()] == [False]


def test_hours_that_ended_are_compacted(world: World) -> None:
    begun = world.clock.now()
    for step in range(3):
        with world.store.transaction() as unit:
            unit.series.append("watcher", begun + step, [Sample("queue_length", (), begun + step, float(step))])
    world.run(1.0)
    assert steps_of(world, "queue_length") == 3
    world.clock.advance(2 * 3600.0)
    world.run(1.0)
    assert steps_of(world, "queue_length") == 0
    with world.store.read() as unit:
        assert [each.value for each in unit.series.window("queue_length", {}, 0.0, 1e11)] == [0.0, 1.0, 2.0]


def steps_of(world: World, metric: str) -> int:
    """How many samples of a metric wait in steps."""
    with world.store.read() as unit:
        rows = [frame for _, frame in unit.series.tail(0, 1000)]
        numbers = [number for frame in rows for number in frame.numbers.tolist()]
        names = unit.series.names(numbers)
        return sum(names[number].metric == metric for number in numbers)


def test_series_past_the_limit_are_an_own_incident_until_none_is_refused(world: World) -> None:
    world.max_series = 100
    world.leader = world.new_leader("one")
    world.run(15.0, UP)
    assert world.incidents() == []
    with world.store.transaction() as unit:
        samples = [Sample("m", (("n", str(n)),), world.clock.now(), 1.0) for n in range(101)]
        assert unit.series.append("watcher", world.clock.now(), samples) > 0
    world.run(2.0, UP)
    [told] = world.incidents()
    assert (told.kind, told.subject, told.open) == ("own", "series", True)
    assert "100 series" in told.summary
    world.clock.advance(CALM)
    world.run(2.0, UP)
    assert [each.open for each in world.incidents() if each.subject == "series"] == [False]


def test_a_round_closes_after_its_attempts_though_the_store_was_slow_in_between(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.define()
    world.run_until_sent()
    receive = world.bus.receive

    def slow(limit: int) -> Sequence[ListedDelivery]:
        world.clock.advance(1.0)
        answer(world.bus, UP)
        return receive(limit)

    monkeypatch.setattr(world.bus, "receive", slow)
    world.run(0.05)
    with world.store.read() as unit:
        [verdict] = unit.rounds.verdicts("shop", 0.0, 1e11, 10)
    assert verdict.closed > verdict.due


def test_rules_look_at_what_locations_said(world: World) -> None:
    world.rules["failing"] = Rule(name="failing", metric="check_up", limits=(Limit("below", 1.0),), by=("check",))
    world.define()
    world.run(25, DOWN)
    [found] = [each for each in world.incidents() if each.kind == "rule"]
    assert (found.subject, found.resolved) == ('failing{check="shop"}', None)
    world.run(25, UP)
    assert [each.kind for each in world.incidents() if each.open] == []


def put_rule(world: World, **spec: Any) -> None:
    with world.store.transaction() as unit:
        unit.rule_definitions.put([StoredRule(name="made", origin="stored", spec=spec)])


def test_a_rule_that_was_made_by_hand_is_evaluated_until_it_is_removed(world: World) -> None:
    world.define()
    world.run(5, DOWN)
    put_rule(world, metric="check_up", below=1, by=["check"])
    world.run(25, DOWN)
    assert [each.subject for each in world.incidents() if each.kind == "rule"] == ['made{check="shop"}']
    with world.store.transaction() as unit:
        unit.rule_definitions.remove("made")
    world.run(15, DOWN)
    assert not any(each.open for each in world.incidents() if each.kind == "rule")


def test_a_stored_rule_that_cannot_be_compiled_is_our_own_incident_until_it_is_mended(world: World) -> None:
    put_rule(world, metric="check_up", above="high")
    world.run(3)
    (incident,) = world.incidents()
    assert (incident.subject, incident.severity) == ("rule/made", "warning")
    assert 'found "high"' in incident.summary
    put_rule(world, metric="check_up", above=1)
    world.run(3)
    assert not world.incidents()[0].open
