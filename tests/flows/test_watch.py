"""The watch of a cluster over real stores in memory, with a scripted stream."""

from __future__ import annotations

from collections import deque
from contextlib import nullcontext

import pytest

from nightowl.core.cluster.events import Event, Gap, Intake
from nightowl.core.cluster.saved import unpacked
from nightowl.core.cluster.settings import ClusterSettings, MetricsSettings
from nightowl.core.cluster.state import Worker
from nightowl.core.errors import LeaseLost, StoreUnavailable
from nightowl.flows.inspect import Seen
from nightowl.flows.task_runs import TaskRuns
from nightowl.flows.tenure import TERM, Tenure
from nightowl.flows.watch import LAST, OPEN_FOR, Parts, Watch
from nightowl.testing.store import memory_store, memory_tasks

NOW = 1_700_000_000.0
NAME = "shop.charge"


class Clock:
    def __init__(self):
        self.time = NOW

    def now(self):
        return self.time

    def monotonic(self):
        return self.time


class Stream:
    """What the next reads bring."""

    fault = silent = ""
    since: float | None = None

    def __init__(self, clock):
        self.clock = clock
        self.waiting = deque()
        self.gaps = []
        self.behind = 0.0

    @property
    def sure(self):
        return None if self.since is None else self.clock.time - self.behind

    def read(self, timeout):
        self.clock.time += timeout
        events, self.waiting = list(self.waiting), deque()
        gaps, self.gaps = self.gaps, []
        return Intake(self.clock.time, events, gaps)

    def close(self):
        pass


class Refusing:
    """A store of tasks that can be away."""

    def __init__(self, tasks):
        self.tasks = tasks
        self.away = False

    def write(self, *given, **also):
        if self.away:
            raise StoreUnavailable("away")
        self.tasks.write(*given, **also)

    def __getattr__(self, name):
        return getattr(self.tasks, name)


class World:
    def __init__(self):
        self.clock = Clock()
        self.store, self.tasks = memory_store(), Refusing(memory_tasks())
        self.stream = Stream(self.clock)
        self.seen, self.unread = Seen(), ()
        self.watch = self.begin()

    def begin(self):
        parts = Parts(
            source=self.stream,
            tasks=self.tasks,
            writer=self.tasks,
            store=self.store,
            clock=self.clock,
            settings=ClusterSettings(name="shop", broker="memory://"),
            metrics=MetricsSettings(),
            seen=lambda: self.seen,
            beat=list,
            unread=lambda: self.unread,
            runs=TaskRuns(self.store, "shop", lambda stored: pytest.fail(f"no check {stored}")),
            saving=nullcontext(),
            redact=lambda task: task,
        )
        self.stream.since = self.clock.time
        return Watch(parts)

    def pass_time(self, seconds=3.0):
        """Turn both threads' loops for a while."""
        for _ in range(int(seconds * 4)):
            self.clock.time += 0.25
            self.watch.take(0.0)
            self.watch.write()

    def tell(self, kind, uuid, **more):
        self.stream.waiting.append(
            Event(type=kind, hostname="celery@web", timestamp=self.clock.time, uuid=uuid, **more)
        )

    def succeed(self, uuid):
        self.tell("task-received", uuid, name=NAME, args="(1,)", kwargs="{}", retries=0)
        self.tell("task-started", uuid)
        self.tell("task-succeeded", uuid, runtime=0.1, result="None")

    def succeeded(self):
        return sum(cell.counts[2] for cell in self.watch.figures.cells.values())


@pytest.fixture
def world():
    made = World()
    yield made
    made.store.close()
    made.tasks.tasks.close()


def test_what_is_told_is_stored_counted_and_measured(world):
    world.succeed("a")
    world.pass_time(15)
    task = world.tasks.get("shop", ["a"])["a"]
    assert (task.name, task.state, task.worker, task.runtime) == (NAME, "SUCCESS", "celery@web", 0.1)
    state = world.tasks.state("shop")
    assert [worker.name for worker in state.workers] == ["celery@web"]
    assert state.events == 3
    with world.store.read() as unit:
        told = unit.series.window("celery_task_succeeded_total", {"cluster": "shop"}, NOW - 60, NOW + 60)
    assert told[-1].value == 1.0


def test_an_open_task_is_stored_before_it_ends(world):
    world.tell("task-received", "slow", name=NAME, retries=0)
    world.tell("task-started", "slow")
    world.pass_time(5)
    assert world.tasks.get("shop", ["slow"])["slow"].state == "STARTED"


def test_while_the_store_is_away_nothing_is_lost_and_reading_goes_on(world):
    world.tasks.away = True
    for number in range(20):
        world.succeed(f"t{number}")
        world.clock.time += 0.25
        world.watch.take(0.0)
        with pytest.raises(StoreUnavailable):
            world.watch.write()
    world.tasks.away = False
    world.pass_time(1)
    assert len(world.tasks.get("shop", [f"t{number}" for number in range(20)])) == 20
    assert world.succeeded() == 20


def test_while_the_main_store_is_away_no_task_is_dropped(world, monkeypatch):
    world.succeed("a")
    world.clock.time += 0.5
    world.watch.take(0.0)

    def away(_now):
        raise StoreUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(TaskRuns, "look", lambda _self, now: away(now))
        with pytest.raises(StoreUnavailable):
            world.watch.write()
    world.pass_time(1)
    assert world.tasks.get("shop", ["a"])["a"].state == "SUCCESS"


def test_the_next_watcher_goes_on_with_counts_open_tasks_and_workers_and_marks_the_gap(world):
    world.succeed("a")
    world.tell("task-received", "open", name=NAME, retries=0)
    world.pass_time(10)
    world.watch.shown()
    before = world.succeeded()
    world.clock.time += 40  # killed, and nobody watches meanwhile
    world.watch = world.begin()
    assert world.succeeded() == before == 1
    world.tell("task-started", "open")
    world.tell("task-succeeded", "open", runtime=1.0)
    world.pass_time(3)
    assert world.tasks.get("shop", ["open"])["open"].name == NAME
    assert {cell.name for cell in world.watch.figures.cells.values()} == {NAME}
    gaps = world.tasks.gaps("shop", NOW, world.clock.time)
    assert [gap.reason for gap in gaps] == ["no watcher ran that could store what it read"]
    assert gaps[0].end - gaps[0].start > 39
    assert [worker.name for worker in world.tasks.state("shop").workers] == ["celery@web"]


def test_a_gap_begins_with_what_was_not_stored_and_ends_when_events_are_read_again(world):
    world.pass_time(20)
    stored = world.clock.time
    for second in range(4):
        world.succeed(f"t{second}")
        world.clock.time += 1
        world.watch.take(0.0)
    world.watch = world.begin()
    world.stream.since = None
    world.pass_time(5)
    assert world.tasks.gaps("shop", NOW, world.clock.time) == []
    world.watch = world.begin()
    world.stream.since = back = world.clock.time + 1
    world.pass_time(5)
    (gap,) = world.tasks.gaps("shop", NOW, world.clock.time)
    assert (gap.start <= stored, gap.start > stored - 10, gap.end) == (True, True, back)
    assert (world.watch.figures.gaps, len(world.tasks.state("shop").gaps)) == (1, 1)


def test_what_was_told_while_it_ended_is_read_and_stored_and_the_gap_is_what_came_after(world):
    world.tell("task-received", "old", name=NAME, retries=0)
    world.pass_time(5)
    world.succeed("late")
    world.watch.end(bool)
    ended = world.clock.time
    assert world.tasks.get("shop", ["late"])["late"].state == "SUCCESS"
    world.clock.time += 7
    world.watch = world.begin()
    world.pass_time(1)
    (gap,) = world.tasks.gaps("shop", NOW, world.clock.time)
    assert (gap.start, gap.end) == (ended, ended + 7)


def gap_before_the_next(world):
    """The only gap, once the next watcher has begun and reads all."""
    world.stream.behind = 0.0
    world.clock.time += 1
    world.watch = world.begin()
    world.pass_time(1)
    (gap,) = world.tasks.gaps("shop", NOW, world.clock.time)
    return gap


def test_an_end_waits_for_what_has_piled_up_and_the_gap_begins_where_it_did_not_come(world):
    world.pass_time(5)
    world.stream.behind, began = 60.0, world.clock.time
    world.pass_time(5)
    asked = []
    world.watch.end(lambda: asked.append(world.clock.time))
    assert (world.clock.time - began, len(asked) > 50) == (pytest.approx(5.0 + LAST, abs=0.2), True)
    assert gap_before_the_next(world).start <= began


def test_an_end_is_none_where_another_watcher_has_taken_over(world):
    world.tell("task-received", "a", name=NAME, retries=0)
    world.watch.take(0.0)

    def keep():
        raise LeaseLost

    with pytest.raises(LeaseLost):
        world.watch.end(keep)
    assert not world.tasks.get("shop", ["a"])


def test_the_gap_after_a_kill_begins_before_what_had_piled_up(world):
    world.pass_time(5)
    world.stream.behind, began = 30.0, world.clock.time
    world.succeed("a")
    world.pass_time(12)
    world.watch.shown()
    assert gap_before_the_next(world).start <= began


def test_what_waits_for_its_queue_is_counted_at_the_end(world):
    world.tell("task-sent", "first", name=NAME, queue="mail", retries=0)
    world.watch.take(0.0)
    world.succeed("second")
    world.watch.take(0.0)
    assert world.succeeded() == 0
    world.watch.end(bool)
    world.watch = world.begin()
    assert world.succeeded() == 1


def test_what_was_shown_is_what_the_next_one_begins_with(world):
    world.succeed("a")
    world.pass_time(3)
    world.watch.shown()
    assert unpacked(world.tasks.figures("shop")) is not None
    world.watch = world.begin()
    assert world.succeeded() == 1


def test_a_task_whose_beginning_a_predecessor_saw_is_looked_up(world):
    world.tell("task-received", "old", name=NAME, retries=0)
    world.pass_time(4)
    world.clock.time += OPEN_FOR + 60  # too old to be taken up again by itself
    world.watch = world.begin()
    world.tell("task-succeeded", "old", runtime=2.0)
    world.pass_time(3)
    assert world.tasks.get("shop", ["old"])["old"].state == "SUCCESS"
    assert {cell.name for cell in world.watch.figures.cells.values()} == {NAME}


def test_gaps_of_the_stream_are_kept_and_shown(world):
    world.stream.gaps = [Gap(NOW - 5, NOW, "Redis dropped the watcher", 12)]
    world.pass_time(2)
    assert world.tasks.gaps("shop", NOW - 60, NOW + 60)[0].lost == 12
    assert world.tasks.state("shop").gaps[0].reason == "Redis dropped the watcher"


def test_the_only_queue_of_a_worker_is_that_of_its_tasks(world):
    told = Worker(name="celery@web", up=True, heard=NOW, since=NOW, inspected=NOW, queues=("mail",))
    world.seen = Seen(workers={"celery@web": told})
    world.succeed("first")
    world.pass_time(4)
    world.succeed("second")
    world.pass_time(2)
    assert world.tasks.get("shop", ["second"])["second"].state == "SUCCESS"
    assert {cell.queue for cell in world.watch.figures.cells.values()} >= {"mail"}


def test_a_worker_that_loses_events_by_itself_is_among_what_cannot_be_seen(world):
    looked_at = Worker(name="celery@web", up=True, heard=NOW, since=NOW, inspected=NOW, pool="threads")
    world.seen = Seen(workers={"celery@web": looked_at}, missing=("a",), faults=("b",))
    world.tell("worker-online", "", freq=2.0, sw_ver="5.6.3")
    world.pass_time(2)
    first, *own, last = world.tasks.state("shop").missing
    assert (first, last) == ("a", "b")
    assert any(says.startswith("celery@web: threads lose events in Celery before 5.7") for says in own)


def test_when_a_task_ran_last_is_known_from_before_and_from_now(world):
    assert world.watch.ran(NAME) is None
    world.succeed("a")
    world.pass_time(2)
    first = world.watch.ran(NAME)
    assert first == pytest.approx(NOW, abs=1)
    world.clock.time += 30
    world.watch = world.begin()
    assert world.watch.ran(NAME) == first
    world.succeed("b")
    world.pass_time(2)
    assert world.watch.ran(NAME) > first + 30


def test_at_its_end_everything_is_stored(world):
    world.tell("task-received", "a", name=NAME, retries=0)
    world.watch.take(0.0)
    world.watch.end(bool)
    assert world.tasks.get("shop", ["a"])["a"].state == "RECEIVED"
    assert unpacked(world.tasks.figures("shop")) is not None


def test_of_two_one_has_the_lease_until_it_gives_it_back_or_lets_it_run_out():
    store, clock = memory_store(), Clock()
    one, other = (Tenure(store, clock, "watcher/shop", holder) for holder in ("one", "other"))
    assert one.keep() is not None
    assert other.keep() is None
    one.give_back()
    clock.time += 1.0
    assert other.keep() is not None
    clock.time += 1.0
    assert one.keep() is None
    with store.transaction() as unit:  # as if another had waited for its end
        unit.leases.release(other.lease)
        assert unit.leases.acquire("watcher/shop", "third", TERM)
    assert other.holds
    clock.time += TERM
    assert not other.holds
    with pytest.raises(LeaseLost):
        other.keep()
    assert (one.holds, other.holds) == (False, False)
    store.close()


def test_what_cannot_be_seen_is_told_with_what_mends_it(world):
    world.seen = Seen(missing=("How long tasks wait is unknown.",), faults=("the broker does not tell",))
    world.unread = ("The app shop cannot be imported here.",)
    world.pass_time()
    first, *configured, last, fault = world.tasks.state("shop").missing
    assert (first, last, fault) == (*world.seen.missing, *world.unread, *world.seen.faults)
    assert all("in [cluster.shop]" in sentence for sentence in configured)
    assert configured
