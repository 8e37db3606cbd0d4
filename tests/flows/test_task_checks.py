"""A leader, a watcher and the runs of a task: verdicts, gaps, and a watcher that is away."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

import pytest

from nightowl.config import rule_from_spec
from nightowl.core.cluster.events import Gap
from nightowl.core.cluster.state import ClusterState
from nightowl.core.cluster.task import Task
from nightowl.core.errors import ConfigurationError, Mistake, Unavailable
from nightowl.core.values import Check, Heartbeat, Route, State, Target, Verdict
from nightowl.flows.hearing import Hearing, deafness, ears
from nightowl.flows.lead import Leader
from nightowl.flows.leadership import Parts, Plan
from nightowl.flows.task_runs import TaskRuns
from nightowl.ports import Store, StoredCheck
from nightowl.testing.bus import ListBus
from nightowl.testing.clock import ManualClock
from nightowl.testing.store import memory_store


def compiled(stored: StoredCheck) -> Check:
    if "broken" in stored.spec:
        raise ConfigurationError([Mistake(file="", key="check.x.every", found="nothing", allowed="a duration")])
    spec = stored.spec
    plan = Heartbeat(every=60.0, grace=10.0, cluster=spec["cluster"], task=spec["task"], max_runtime=spec.get("most"))
    target = Target(kind="task", url="")
    return Check(name=stored.name, target=target, locations=(), heartbeat=plan, down_after=1, paused=stored.paused)


class Watched:
    """What the watcher of a cluster stores of itself: a stand-in for the store of tasks."""

    def __init__(self) -> None:
        self.at: float | None = None
        self.fault = ""
        self.lost: list[Gap] = []
        self.away = False

    def state(self, cluster: str) -> ClusterState | None:
        if self.away:
            raise Unavailable("the store of tasks is locked")
        return None if self.at is None else ClusterState(name=cluster, at=self.at, since=0.0, fault=self.fault)

    def gaps(self, cluster: str, start: float, end: float) -> list[Gap]:
        return [gap for gap in self.lost if gap.end >= start and gap.start <= end]


class World:
    """A director, and the watcher of a cluster in which a task called ``report`` runs every minute."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = ManualClock()
        self.watched: Any = Watched()
        self.define()
        self.runs = TaskRuns(store, "shop", compiled)
        self.leader = self.new_leader("one")
        self.listens = True

    def new_leader(self, holder: str) -> Leader:
        plan = Plan(locations={}, routes=(Route(name="default", to=("ops",)),))
        parts = Parts(
            store=self.store,
            bus=ListBus(),
            clock=self.clock,
            compile_check=compiled,
            compile_rule=lambda stored: rule_from_spec(stored.name, stored.spec),
            plan=lambda: plan,
            ears=ears(self.watched),
        )
        return Leader(parts, holder=holder)

    def define(self, name: str = "report", **spec: Any) -> None:
        whole = {"kind": "task", "cluster": "shop", "task": "report", **spec}
        with self.store.transaction() as unit:
            unit.checks.put(StoredCheck(name=name, origin="stored", paused=False, spec=whole))

    def hear(self, *tasks: Task) -> None:
        """Let the watcher take in tasks, as it does with each batch of events."""
        now = self.clock.now()
        self.runs.look(now)
        self.runs.take(tasks, now)
        self.runs.flush()
        self.watched.at = now

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.25)):
            self.clock.advance(0.25)
            if self.listens:
                self.hear()
            self.leader.tick()

    def begin(self, uuid: str = "a") -> float:
        """Let a run begin now; return the moment."""
        now = self.clock.now()
        self.hear(Task(uuid=uuid, name="report", state="STARTED", started=now))
        return now

    def verdicts(self) -> list[Verdict]:
        with self.store.read() as unit:
            return unit.rounds.verdicts("report", 0.0, 1e11, 1000)

    def states(self) -> list[State]:
        return [each.state for each in self.verdicts()]

    def incidents(self) -> list[tuple[str, bool]]:
        with self.store.read() as unit:
            found, _ = unit.incidents.page(open_only=False, subject="report", offset=0, limit=100)
        return [(each.summary, each.open) for each in found]


@pytest.fixture
def world() -> Iterator[World]:
    store = memory_store()
    world = World(store)
    world.run(2.0)
    yield world
    store.close()


def test_a_run_is_heard_from_its_start_to_its_end(world: World) -> None:
    began = world.begin()
    world.run(20.0)
    assert world.verdicts() == []
    ended = world.clock.now()
    world.hear(Task(uuid="a", name="report", state="SUCCESS", started=began, succeeded=ended))
    world.run(1.0)
    assert [(each.due, each.state, each.duration) for each in world.verdicts()] == [(ended, State.UP, ended - began)]


def test_the_same_event_twice_is_one_call_also_by_another_watcher(world: World) -> None:
    ended = Task(uuid="a", name="report", state="FAILURE", failed=world.clock.now(), error="no")
    world.hear(ended, ended)
    world.hear(ended)
    world.runs = TaskRuns(world.store, "shop", compiled)
    world.hear(ended)
    with world.store.read() as unit:
        assert len(unit.heartbeats.pings("report", 10)) == 1
    world.run(1.0)
    assert world.incidents() == [("report is down: the task failed: no", True)]


def test_a_task_that_does_not_start_opens_an_incident_and_its_success_resolves_it(world: World) -> None:
    began = world.begin()
    world.run(74.0)
    assert world.incidents() == []
    world.run(2.5)
    assert [(each.due, each.state, each.reason) for each in world.verdicts()] == [
        (began + 70.0, State.DOWN, "task.late")
    ]
    now = world.clock.now()
    world.hear(Task(uuid="b", name="report", state="SUCCESS", started=now - 1, succeeded=now))
    world.run(1.0)
    assert [is_open for _, is_open in world.incidents()] == [False]


def test_a_run_that_takes_too_long_opens_an_incident_while_it_runs(world: World) -> None:
    world.define(most=20.0)
    world.run(1.0)
    began = world.begin()
    world.run(26.5)
    assert [(each.due, each.reason) for each in world.verdicts()] == [(began + 20.0, "task.unfinished")]
    ((summary, is_open),) = world.incidents()
    assert is_open
    assert "had not ended by" in summary


def test_while_the_watcher_is_away_nothing_is_missed_but_unknown(world: World) -> None:
    began = world.begin()
    world.listens = False
    world.run(69.0)
    assert world.verdicts() == []
    world.run(62.0)
    assert [(each.due, each.state, each.reason) for each in world.verdicts()] == [
        (began + 70.0, State.UNKNOWN, "task.unheard"),
        (began + 130.0, State.UNKNOWN, "task.unheard"),
    ]
    assert world.incidents() == []


def test_a_gap_is_unknown_once_and_the_period_after_it_is_judged(world: World) -> None:
    began = world.begin()
    world.watched.lost.append(Gap(began + 30.0, began + 35.0, "the broker was away"))
    world.run(137.0)
    assert world.states() == [State.UNKNOWN, State.DOWN]


def test_a_run_that_went_on_through_a_gap_has_one_round_for_its_time_and_one_for_its_end(world: World) -> None:
    world.define(most=20.0)
    world.run(1.0)
    began = world.begin()
    world.watched.lost.append(Gap(began + 5.0, began + 6.0, "the broker was away"))
    world.run(30.0)
    assert world.states() == [State.UNKNOWN]
    now = world.clock.now()
    world.hear(Task(uuid="a", name="report", state="SUCCESS", started=began, succeeded=now))
    world.run(1.0)
    assert world.states() == [State.UNKNOWN, State.UP]


def test_a_watcher_that_cannot_read_hears_nothing(world: World) -> None:
    world.begin()
    world.watched.fault = "the broker does not answer"
    world.run(84.0)
    assert world.states() == []
    world.run(3.0)
    assert world.states() == [State.UNKNOWN]


def test_a_store_of_tasks_that_is_away_for_seconds_changes_nothing(world: World) -> None:
    began = world.begin()
    world.run(68.0)
    world.watched.away = True
    world.run(8.0)
    assert world.verdicts() == []
    world.watched.away = False
    world.run(1.0)
    assert [(each.due, each.state) for each in world.verdicts()] == [(began + 70.0, State.DOWN)]


def test_what_happened_while_no_director_led_is_judged_by_its_own_time(world: World) -> None:
    began = world.begin()
    world.run(5.0)
    world.leader.stop()
    world.clock.advance(50.0)
    second = world.begin("b")
    world.clock.advance(100.0)
    world.hear()
    world.leader = world.new_leader("two")
    world.run(3.0)
    assert (second - began, [(each.due, each.state) for each in world.verdicts()]) == (
        55.0,
        [(second + 70.0, State.DOWN)],
    )


def test_more_calls_than_one_turn_takes_up_are_judged_in_their_order(world: World) -> None:
    world.run(1.0)
    world.leader.stop()
    start = world.clock.now()
    world.runs = TaskRuns(world.store, "shop", compiled)
    world.clock.advance(60.0 * 39 + 30.0)
    world.runs.look(world.clock.now())
    for minute in range(40):  # each of its own turn of the watcher, so that there is room for all calls
        moment = start + 60.0 * minute
        tasks = [Task(uuid=f"{minute} {each}", name="report", state="FAILURE", failed=moment) for each in range(20)]
        world.runs.take(tasks, moment)
    world.runs.flush()
    world.hear()
    world.leader = world.new_leader("two")
    world.run(3.0)
    assert not [each for each in world.verdicts() if each.reason == "task.late"]


def test_the_watcher_follows_checks_as_they_are_defined(world: World) -> None:
    world.define("mail", task="mail.*")
    world.define("elsewhere", cluster="other")
    world.define("wrong", broken=True)
    world.run(1.5)
    now = world.clock.now()
    world.hear(
        Task(uuid="m", name="mail.send", state="SUCCESS", succeeded=now),
        Task(uuid="r", name="report", state="SUCCESS", succeeded=now),
    )
    with world.store.read() as unit:
        found = {name: len(unit.heartbeats.pings(name, 10)) for name in ("mail", "report", "elsewhere", "wrong")}
    assert found == {"mail": 1, "report": 1, "elsewhere": 0, "wrong": 0}


def test_calls_wait_for_a_store_that_does_not_answer() -> None:
    store = memory_store()
    world = World(store)
    world.hear()
    world.runs.take([Task(uuid="a", name="report", state="SUCCESS", succeeded=world.clock.now())], world.clock.now())
    world.runs._store = Refusing()  # type: ignore[assignment]
    with pytest.raises(Unavailable):
        world.runs.flush()
    world.runs._store = store
    world.runs.flush()
    with store.read() as unit:
        assert len(unit.heartbeats.pings("report", 10)) == 1
    store.close()


class Refusing:
    def transaction(self) -> Any:
        raise Unavailable("locked")


@pytest.mark.parametrize(
    ("hearing", "due", "judged", "deaf"),
    [
        (Hearing(until=100.0), 90.0, 95.0, []),
        (Hearing(until=86.0), 90.0, 81.0, []),
        (Hearing(until=84.0), 90.0, 99.5, [(79.0, inf)]),
        (Hearing(until=0.0), 90.0, 99.5, [(0.0, inf)]),
        (None, 90.0, 85.0, [(85.0, inf)]),
        (None, 80.0, 99.5, [(75.0, inf)]),
    ],
)
def test_absence_is_judged_as_far_as_the_watcher_has_heard(
    hearing: Hearing | None, due: float, judged: float, deaf: list[Any]
) -> None:
    spans, until = deafness(hearing, due, 99.5, 100.0)
    assert (list(spans), until) == (deaf, judged)
