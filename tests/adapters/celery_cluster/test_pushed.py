"""What workers push reaches the watch once, whatever ends between."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.adapters.celery_cluster.events.pushed import JoinedSource, Pushed
from nightowl.adapters.store_sql.tasks import SqlTasks, open_tasks
from nightowl.core.cluster.events import Event, Gap, Intake
from nightowl.core.cluster.pushed import MOST, SLICE, Parcel, by_clock, joined, slices, unheard
from nightowl.core.cluster.task import Task
from nightowl.core.errors import StoreUnavailable
from nightowl.wire.clock import CLOCK


class Broker:
    """A broker that carries no events, or that cannot be reached."""

    def __init__(self, silent: str = "carries none", fault: str = "", since: float | None = None) -> None:
        self.silent, self.fault, self.since = silent, fault, since
        self.closed = False

    def read(self, timeout: float) -> Intake:
        time.sleep(min(timeout, 0.01))
        return Intake(at=CLOCK.now(), events=[])

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def tasks() -> Iterator[SqlTasks]:
    found = open_tasks("sqlite://")
    yield found
    found.close()


def put(tasks: SqlTasks, *uuids: str, **fields: Any) -> None:
    events = [Event(type="task-received", uuid=uuid, timestamp=5.0, name="add") for uuid in uuids]
    assert tasks.inbox.put("shop", Parcel(at=6.0, events=events, **fields), 1000)


def opened(tasks: SqlTasks, broker: Broker | None = None) -> tuple[JoinedSource, Pushed]:
    pushed = Pushed(tasks.inbox, "shop", CLOCK, lambda uuids: tasks.get("shop", uuids))
    return JoinedSource(broker or Broker(), pushed), pushed


def read(source: JoinedSource, enough: Callable[[list[str]], bool]) -> list[str]:
    found: list[str] = []
    end = time.monotonic() + 20
    while not enough(found) and time.monotonic() < end:
        found += [event.uuid for event in source.read(0.01).events]
    return found


def test_events_come_in_order_and_the_cluster_is_not_silent(tasks: SqlTasks) -> None:
    source, _ = opened(tasks)
    assert (source.silent, source.since) == ("carries none", None)
    put(tasks, "1", "2")
    put(tasks, "3", refused={"no event": 2})
    assert read(source, lambda found: len(found) == 3) == ["1", "2", "3"]
    assert (source.silent, source.since, source.fault) == ("", 0.0, "")
    source.close()


def test_a_fault_and_the_time_of_the_broker_come_first(tasks: SqlTasks) -> None:
    put(tasks, "1")
    source, _ = opened(tasks, Broker(silent="", fault="away"))
    assert read(source, bool) == ["1"]
    assert (source.fault, source.since) == ("away", None)
    source.close()
    source, _ = opened(tasks, Broker(silent="", since=7.0))
    assert source.since == 7.0


def test_what_was_taken_and_not_stored_is_taken_again_and_what_was_stored_is_not(tasks: SqlTasks) -> None:
    put(tasks, "stored", "lost")
    source, _ = opened(tasks)
    assert read(source, lambda found: len(found) == 2) == ["stored", "lost"]
    tasks.write("shop", [Task(uuid="stored", name="add", received=5.0, seen=5.0)])
    source.close()  # its watcher was killed: it is not sure of anything
    put(tasks, "new")
    source, pushed = opened(tasks)
    assert read(source, lambda found: "new" in found) == ["lost", "new"]
    for _ in range(2):
        source.read(0.0)  # whoever reads on has taken in what was read before
    pushed.sure = lambda: CLOCK.now() + 1
    source.close()
    assert tasks.inbox.last("shop") == 0


def test_a_store_that_is_away_is_waited_for_and_told_once(
    tasks: SqlTasks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="nightowl.adapters.celery_cluster.events.pushed")
    monkeypatch.setattr("nightowl.adapters.celery_cluster.events.pushed.TROUBLED", 0.01)
    put(tasks, "1")
    source, pushed = opened(tasks)
    whole, aways = pushed._inbox.last, [StoreUnavailable("away"), StoreUnavailable("away")]

    def last(cluster: str) -> int:
        if aways:
            raise aways.pop()
        return whole(cluster)

    monkeypatch.setattr(pushed._inbox, "last", last)
    assert read(source, bool) == ["1"]
    source.close()
    assert caplog.messages == [
        "what workers of shop pushed cannot be read, trying again: away",
        "going on: what workers of shop pushed is read again",
    ]


def test_a_store_that_is_read_but_not_written_is_one_trouble(
    tasks: SqlTasks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="nightowl.adapters.celery_cluster.events.pushed")
    for name, value in (("TROUBLED", 0.01), ("LOOK", 0.01), ("CALM", 0.01), ("REMOVE", 0.0)):
        monkeypatch.setattr(f"nightowl.adapters.celery_cluster.events.pushed.{name}", value)
    source, pushed = opened(tasks)
    pushed.sure = lambda: CLOCK.now() + 1
    whole, tries = pushed._inbox.remove, count(1)

    def remove(cluster: str, through: int) -> None:
        if next(tries) < 5:
            raise StoreUnavailable("the disk is full")
        whole(cluster, through)

    monkeypatch.setattr(pushed._inbox, "remove", remove)
    put(tasks, "1")
    assert read(source, bool) == ["1"]
    deadline = time.monotonic() + 20
    while len(caplog.messages) < 2 and time.monotonic() < deadline:
        source.read(0.01)
    assert tasks.inbox.last("shop") == 0
    source.close()
    assert caplog.messages == [
        "what workers of shop pushed cannot be read, trying again: the disk is full",
        "going on: what workers of shop pushed is read again",
    ]


def test_an_event_of_a_later_attempt_is_not_told_yet() -> None:
    task = Task(uuid="1", sent=1.0, received=2.0, started=3.0, retried=4.0)
    told = [Event(type=f"task-{stage}", uuid="1", timestamp=at) for stage, at in (("sent", 1.0), ("failed", 3.5))]
    new = [
        Event(type="task-received", uuid="1", timestamp=5.0),
        Event(type="task-sent", uuid="2", timestamp=0.5),
        Event(type="worker-heartbeat", timestamp=1.0),
    ]
    assert unheard([*told, *new], {"1": task}) == new


def test_what_was_kept_for_long_is_taken_in_as_of_when_it_happened() -> None:
    events = [Event(type="task-started", uuid=str(at), timestamp=at) for at in (100.0, 100.5, 130.0, 129.5, 700.0)]
    found = slices(Parcel(at=600.0, events=events, refused={"no event": 1}))
    assert [(each.at, [event.timestamp for event in each.events]) for each in found] == [
        (100.5, [100.0, 100.5]),
        (130.0, [130.0, 129.5]),
        (600.0, [700.0]),
        (600.0, []),
    ]
    assert found[-1].refused == {"no event": 1}


def test_times_of_a_wrong_clock_become_our_own() -> None:
    (event,) = by_clock([Event(type="task-started", timestamp=100.0)], -40.0)
    assert event.timestamp == 60.0
    (event,) = by_clock([Event(type="task-started", timestamp=100.0)], 0.3)  # it was only under way
    assert event.timestamp == 100.0


@given(st.lists(st.tuples(st.floats(0.0, 9.0), st.integers(0, 400), st.integers(0, 2)), max_size=12))
def test_what_many_senders_told_within_a_second_is_taken_in_at_once(told: list[tuple[float, int, int]]) -> None:
    given_ = [
        Intake(at, [Event(type="task-started", uuid=f"{at}")] * count, [Gap(at, at, "lost")] * gaps, {"none": gaps})
        for at, count, gaps in told
    ]
    found = joined(given_)
    assert [event for each in found for event in each.events] == [event for each in given_ for event in each.events]
    assert [gap for each in found for gap in each.gaps] == [gap for each in given_ for gap in each.gaps]
    assert sum(each.refused["none"] for each in found) == sum(gaps for _, _, gaps in told)
    assert all(len(each.events) <= MOST for each in found)
    assert all(abs(float(event.uuid) - each.at) <= 2 * SLICE for each in found for event in each.events)


def test_parcels_that_wait_do_not_wait_for_the_broker(tasks: SqlTasks) -> None:
    class Idle(Broker):
        waited = 0.0

        def read(self, timeout: float) -> Intake:
            self.waited += timeout
            return Intake(at=CLOCK.now(), events=[])

    idle = Idle()
    for number in range(200):
        put(tasks, str(number))
    source, pushed = opened(tasks, idle)
    source.read(0.0)  # begins to read the inbox
    while len(pushed._parcels) < 150:
        time.sleep(0.01)
    idle.waited, found, reads = 0.0, 0, 0
    while found < 150:
        found += len(source.read(0.1).events)
        reads += 1
    assert (idle.waited, reads < 20) == (0.0, True)
    source.close()
