"""What watchers find becomes incidents: opened, raised, told of and resolved once, whoever dies in between."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from nightowl.core.cluster.finding import Finding
from nightowl.core.cluster.state import ClusterState
from nightowl.core.errors import LeaseLost
from nightowl.core.telling import Telling, family, of_check
from nightowl.core.values import Change, Check, Entry, Incident, Maintenance, Route, Severity, Silence, Target
from nightowl.flows import faults
from nightowl.flows.found import SILENT, Found
from nightowl.flows.tell import tell
from nightowl.flows.vigil import Vigil
from nightowl.ports import Lease, Store
from nightowl.testing.clusters import KeptStates
from nightowl.testing.store import memory_store

START = 1_700_000_000.0
ROUTES = (Route(name="all", to=("ops",), wait=0.0),)
TELLING = Telling(routes=ROUTES)

CHARGE = Finding(
    detector="failures",
    rest="shop.charge/KeyError",
    since=START - 2,
    severity=Severity.WARNING,
    sentence="task shop.charge failed with KeyError",
    count=1,
    tally="1 failure, the last at noon",
    task="shop.charge",
    uuid="id-1",
    details="args: (1,)\nTraceback ...",
    path="/clusters/shop/tasks/id-1",
)
SUBJECT = "shop/failures/shop.charge/KeyError"


class World:
    """A leader's view of clusters, over a real store of its own and states that a test writes."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.states = KeptStates()
        self.now = START
        self.clusters: dict[str, tuple[str, ...]] = {"shop": ()}
        self.telling = TELLING
        self.lease: Lease | None = None
        self.found, self.vigil = self.take_over()

    def take_over(self) -> tuple[Found, Vigil]:
        with self.store.transaction() as unit:
            if self.lease is not None:
                unit.leases.release(self.lease)
            self.lease = unit.leases.acquire("director", f"at {self.now}", 1e9)
        assert self.lease is not None
        found, vigil = Found(self.store, self.lease, self.states), Vigil(self.store, self.lease)
        with self.store.read() as unit:
            found.take_over(unit)
            vigil.take_over(unit)
        return found, vigil

    def restart(self) -> None:
        self.found, self.vigil = self.take_over()

    def watch(self, *findings: Finding, cluster: str = "shop", **fields: object) -> None:
        """Let the watcher write, and the leader look a second later."""
        self.states.kept[cluster] = ClusterState(name=cluster, at=self.now, since=START, findings=findings, **fields)
        self.look()

    def look(self, after: float = 1.0) -> None:
        self.now += after
        self.found.step(self.clusters, self.telling, self.now)
        with self.store.read() as unit:
            changes = faults.changes(self.found.faults(), unit.incidents.open(), self.now)
        with self.store.transaction(self.lease) as unit:
            tell(unit, changes, self.telling, self.now)

    def incidents(self, kind: str = "cluster") -> list[Incident]:
        with self.store.read() as unit:
            found, _ = unit.incidents.page(open_only=False, subject="", offset=0, limit=1000)
        return [incident for incident in found if incident.kind == kind]

    def own(self) -> dict[str, str]:
        return {each.subject: each.summary for each in self.incidents("own") if each.open}

    def timeline(self, incident: Incident) -> list[Entry]:
        with self.store.read() as unit:
            return unit.incidents.timeline(incident.id)

    def told(self) -> list[str]:
        with self.store.read() as unit:
            return [row.notice.step for each in self.incidents() for row in unit.outbox.of(each.id)]


@pytest.fixture
def world() -> Iterator[World]:
    store = memory_store()
    yield World(store)
    store.close()


def test_a_finding_is_an_incident_with_its_proof_and_its_notices(world: World) -> None:
    world.watch(CHARGE)
    [incident] = world.incidents()
    assert (incident.subject, incident.opened, incident.severity) == (SUBJECT, CHARGE.since, Severity.WARNING)
    assert incident.tags == {"cluster": "shop", "finding": "failures", "task": "shop.charge"}
    assert (incident.link, incident.reason) == ("/clusters/shop/tasks/id-1", "failures")
    assert [entry.text for entry in world.timeline(incident)] == [CHARGE.sentence, CHARGE.details]
    world.watch(CHARGE)
    world.watch()
    [incident] = world.incidents()
    assert incident.resolved == world.now
    assert world.told() == ["firing", "resolved"]


def test_a_count_that_grows_is_said_once_a_minute_and_told_to_nobody(world: World) -> None:
    for count in range(1, 150):
        world.watch(replace(CHARGE, count=count, tally=f"{count} failures, the last at {world.now:.0f}"))
    [incident] = world.incidents()
    said = [entry.text for entry in world.timeline(incident) if " failures, the last at " in entry.text]
    assert [text.split()[0] for text in said] == ["61", "121"]
    assert incident.summary == f"{CHARGE.sentence} ({said[-1]})"
    assert world.told() == ["firing"]


def test_a_successor_does_not_say_it_again_within_the_minute(world: World) -> None:
    world.watch(CHARGE)
    world.watch(replace(CHARGE, count=2, tally="2 failures"))
    for count in (3, 4):
        world.restart()
        world.watch(replace(CHARGE, count=count, tally=f"{count} failures"))
    [incident] = world.incidents()
    assert sum(entry.event == "note" for entry in world.timeline(incident)) == 1  # the proof
    world.look(58.0)
    world.watch(replace(CHARGE, count=9, tally="9 failures"))
    assert world.timeline(incident)[-1].text == "9 failures"


def test_other_words_are_said_now_and_then(world: World) -> None:
    for number in range(120):
        world.watch(replace(CHARGE, count=0, tally="", details="", sentence=f"stuck for {number} minutes"))
        world.look(59.0)
        world.states.kept.clear()
    [incident] = world.incidents()
    assert 10 <= sum(entry.event == "note" for entry in world.timeline(incident)) <= 13


def test_one_that_gets_worse_is_raised_and_told(world: World) -> None:
    world.watch(CHARGE)
    world.watch(replace(CHARGE, severity=Severity.CRITICAL))
    world.watch(CHARGE)
    [incident] = world.incidents()
    assert (incident.severity, incident.raised) == (Severity.CRITICAL, START + 2)
    world.vigil.step(world.telling, world.now)
    world.vigil.step(world.telling, world.now + 60)
    assert world.told() == ["firing", "raised"]


def test_one_that_is_less_bad_than_it_was_says_so_at_once_and_keeps_its_worst_severity(world: World) -> None:
    alone = replace(CHARGE, severity=Severity.CRITICAL, sentence="worker a fell silent; no worker is left")
    beside = replace(CHARGE, sentence="worker a fell silent")
    for finding, words in ((alone, alone.sentence), (beside, beside.sentence), (alone, alone.sentence)):
        world.watch(finding)
        [incident] = world.incidents()
        assert (incident.severity, incident.summary.partition(" (")[0]) == (Severity.CRITICAL, words)


def test_what_was_found_again_opens_another_incident(world: World) -> None:
    world.watch(CHARGE)
    world.watch()
    world.watch(replace(CHARGE, since=world.now))
    world.watch()
    world.watch(CHARGE)  # as it was at first: the watcher was set back
    assert [each.open for each in world.incidents()] == [True, False, False]
    assert world.told().count("firing") == 3


def test_a_successor_goes_on_where_its_forerunner_ended(world: World) -> None:
    world.watch(CHARGE)
    world.restart()
    world.watch(CHARGE)
    world.restart()
    world.watch()
    [incident] = world.incidents()
    assert not incident.open
    assert world.told() == ["firing", "resolved"]


def test_who_does_not_lead_any_more_writes_nothing(world: World) -> None:
    old = world.found
    world.restart()
    world.states.kept["shop"] = ClusterState(name="shop", at=world.now, since=START, findings=(CHARGE,))
    with pytest.raises(LeaseLost):
        old.step(world.clusters, TELLING, world.now)
    assert not world.incidents()


def test_a_commit_that_nobody_answered_is_found_and_not_done_again(world: World, monkeypatch) -> None:
    world.watch(CHARGE)
    [incident] = world.incidents()
    with world.store.transaction() as unit:
        taken = replace(incident, acknowledged=world.now, acknowledged_by="ann")
        unit.incidents.apply([Change(event="acknowledged", incident=taken, at=world.now, text="")])
    monkeypatch.setattr(world.found, "_known", {})
    monkeypatch.setattr(world.found, "_done", {})
    world.watch(CHARGE)
    [incident] = world.incidents()
    assert incident.acknowledged_by == "ann"
    assert len(world.timeline(incident)) == 3
    assert world.told() == ["firing"]


# -- watchers that are away -----------------------------------------------------------------------------------------


def test_a_watcher_that_is_not_heard_resolves_nothing_and_is_told(world: World) -> None:
    world.watch(CHARGE)
    world.look(SILENT - 1)
    assert not world.own()
    world.look(5.0)
    assert list(world.own()) == ["cluster/shop"]
    assert "the watcher of shop is not heard" in world.own()["cluster/shop"]
    world.restart()
    world.look()
    assert list(world.own()) == ["cluster/shop"]
    assert world.incidents()[0].open
    world.watch(CHARGE)
    assert not world.own()


def test_an_old_state_of_before_resolves_nothing(world: World) -> None:
    world.watch(CHARGE)
    world.watch()
    world.watch(replace(CHARGE, since=world.now))
    world.states.kept["shop"] = replace(world.states.kept["shop"], findings=())
    world.now += 3600
    world.restart()
    world.look()
    world.look(60.0)
    assert world.incidents()[0].open
    assert list(world.own()) == ["cluster/shop"]


def test_a_watcher_whose_clock_is_wrong_is_heard_none_the_less(world: World) -> None:
    for _ in range(50):
        state = ClusterState(name="shop", at=world.now - 3600, since=START, findings=(CHARGE,))
        world.states.kept["shop"] = state
        world.look()
    assert not world.own()
    assert len(world.incidents()) == 1


def test_a_broker_that_is_away_is_told_of_the_cluster_and_what_was_found_stands(world: World) -> None:
    world.watch(CHARGE)
    for _ in range(3):
        world.watch(fault="connection refused")
    assert world.own() == {"cluster/shop": "the watcher of shop hears nothing: connection refused"}
    assert world.incidents()[0].open
    world.watch()
    assert not world.own()
    assert not world.incidents()[0].open


def test_a_cluster_that_nobody_watches_is_told(world: World) -> None:
    world.look()
    assert not world.own()
    world.look(SILENT + 1)
    assert list(world.own()) == ["cluster/shop"]
    world.clusters = {}
    world.look()
    assert not world.own()


def test_a_task_store_that_is_away_is_one_fault_and_ends_nothing(world: World) -> None:
    world.watch(CHARGE)
    world.states.away = True
    world.look(100.0)
    world.restart()
    world.look(100.0)
    assert list(world.own()) == ["tasks"]
    world.states.away = False
    world.watch(CHARGE)
    assert not world.own()
    assert [each.open for each in world.incidents()] == [True]


def test_a_cluster_that_is_not_watched_any_more_ends_what_was_found(world: World) -> None:
    world.clusters = {"shop": (), "mail": ()}
    world.watch(CHARGE)
    world.watch(CHARGE, cluster="mail")
    del world.clusters["shop"]
    world.look()
    assert [each.subject for each in world.incidents() if each.open] == ["mail/failures/shop.charge/KeyError"]


# -- what holds back ------------------------------------------------------------------------------------------------


def test_a_silence_a_maintenance_and_a_route_match_by_its_tags(world: World) -> None:
    with world.store.transaction() as unit:
        unit.silences.add(Silence(match={"kind": "cluster", "task": "shop.ch*"}, start=START, end=START + 100))
    world.telling = replace(
        TELLING,
        maintenance=(
            Maintenance(name="deploy", start=0.0, duration=86400.0, days=tuple(range(7)), match={"finding": "lost"}),
        ),
        routes=(Route(name="mail", to=("mail",), match={"worker": "celery@*"}, wait=0.0), *ROUTES),
    )
    world.watch(
        CHARGE,
        replace(CHARGE, detector="lost", rest="x"),
        replace(CHARGE, detector="worker_silent", rest="y", task="", worker="celery@one"),
    )
    with world.store.read() as unit:
        heard = {each.subject: [row.notice.channel for row in unit.outbox.of(each.id)] for each in world.incidents()}
    assert heard == {SUBJECT: [], "shop/lost/x": [], "shop/worker_silent/y": ["mail", "ops"]}
    held = {each.subject: each.suppressed and each.suppressed.kind for each in world.incidents()}
    assert held == {SUBJECT: "silence", "shop/lost/x": "silence", "shop/worker_silent/y": None}


def test_what_is_found_is_held_back_while_what_the_cluster_depends_on_is_down(world: World) -> None:
    redis = Check(name="redis", target=Target(kind="tcp", url="tcp://h:1"), locations=("here",))
    world.telling = replace(TELLING, parents=family([of_check(redis)], {"shop": ("redis",)}))
    down = Incident(
        id="1", kind="check", subject="redis", severity=Severity.CRITICAL, summary="redis is down", opened=START
    )
    with world.store.transaction() as unit:
        tell(unit, [Change(event="opened", incident=down, at=START, text="")], world.telling, START)
    world.watch(CHARGE)
    [incident] = world.incidents()
    assert incident.suppressed is not None
    assert incident.suppressed.by == "redis"
    assert not world.told()


# -- whatever happens -----------------------------------------------------------------------------------------------

rests = st.sampled_from(["a", "b", "c"])


class Machine(RuleBasedStateMachine):
    """Findings come, grow and go; leaders die at any moment: each episode is one incident, told once each way."""

    @initialize()
    def begin(self) -> None:
        self.store = memory_store()
        self.world = World(self.store)
        self.findings: dict[str, Finding] = {}
        self.episodes = 0
        self.world.watch()

    @rule(rest=rests)
    def find(self, rest: str) -> None:
        if rest not in self.findings:
            self.findings[rest] = replace(CHARGE, rest=rest, since=self.world.now)
            self.episodes += 1
            self.write()

    @rule(rest=rests)
    def grow(self, rest: str) -> None:
        if (found := self.findings.get(rest)) is not None:
            self.findings[rest] = replace(found, count=found.count + 1, tally=f"{found.count + 1} failures")
            self.write()

    @rule(rest=rests)
    def cease(self, rest: str) -> None:
        if self.findings.pop(rest, None) is not None:
            self.write()

    @rule(seconds=st.sampled_from([1.0, 20.0, 70.0]))
    def wait(self, seconds: float) -> None:
        self.world.look(seconds)

    @rule()
    def die(self) -> None:
        self.world.restart()

    @rule()
    def store_away(self) -> None:
        self.world.states.away = True
        self.world.look()
        self.world.states.away = False

    def write(self) -> None:
        self.world.watch(*self.findings.values())

    @invariant()
    def one_incident_an_episode(self) -> None:
        incidents = self.world.incidents()
        assert {each.subject for each in incidents if each.open} == {f"shop/failures/{rest}" for rest in self.findings}
        assert len(incidents) == self.episodes
        steps = self.world.told()
        assert steps.count("firing") == self.episodes
        assert steps.count("resolved") == self.episodes - len(self.findings)

    def teardown(self) -> None:
        self.store.close()


Machine.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
TestMachine = Machine.TestCase
