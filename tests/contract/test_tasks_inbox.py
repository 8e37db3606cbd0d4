"""What workers pushed waits in every database until it is removed, in order, and not without bound."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from nightowl.adapters.store_sql.tasks import SqlTasks, open_tasks
from nightowl.core.cluster.events import Event, Gap
from nightowl.core.cluster.pushed import Parcel


@pytest.fixture
def tasks(lasting_url: str) -> Iterator[SqlTasks]:
    found = open_tasks(lasting_url)
    yield found
    found.close()


def parcel(number: int, events: int = 1) -> Parcel:
    return Parcel(at=float(number), events=[Event(type="task-sent", uuid=f"{number}/{each}") for each in range(events)])


def test_parcels_come_in_order_and_stay_until_they_are_removed(tasks: SqlTasks) -> None:
    inbox = tasks.inbox
    whole = Parcel(
        at=1.5,
        events=[Event(type="task-failed", uuid="1", result="🦉", runtime=0.5, loadavg=[1.0])],
        gaps=[Gap(1.0, 1.5, "dropped", 7)],
        refused={"no event": 2},
    )
    assert (inbox.last("shop"), inbox.parcels("shop", 0, 10)) == (0, [])
    assert all(inbox.put(cluster, each, 100) for cluster in ("shop", "bank") for each in (whole, parcel(2), parcel(3)))
    found = inbox.parcels("shop", 0, 10)
    assert [each for _, each in found] == [whole, parcel(2), parcel(3)]
    assert inbox.parcels("shop", found[0][0], 1) == [found[1]]
    assert inbox.last("shop") == found[2][0]
    inbox.remove("shop", found[1][0])
    assert inbox.parcels("shop", 0, 10) == [found[2]]
    assert len(inbox.parcels("bank", 0, 10)) == 3


def test_numbers_only_grow_also_when_nothing_is_left(tasks: SqlTasks) -> None:
    inbox = tasks.inbox
    inbox.put("shop", parcel(1), 100)
    last = inbox.last("shop")
    inbox.remove("shop", last)
    inbox.put("shop", parcel(2), 100)
    assert [each for _, each in inbox.parcels("shop", last, 10)] == [parcel(2)]


def test_there_is_room_for_so_many_events_of_each_cluster(tasks: SqlTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightowl.adapters.store_sql.tasks.inbox.COUNTED", 0.0)
    inbox = tasks.inbox
    assert inbox.put("shop", parcel(1, 6), 10)
    assert not inbox.put("shop", parcel(2, 5), 10)
    assert inbox.put("shop", parcel(3, 4), 10)
    assert inbox.put("bank", parcel(4, 6), 10)
    inbox.remove("shop", inbox.parcels("shop", 0, 1)[0][0])
    assert inbox.put("shop", parcel(5, 6), 10)


def test_who_reads_on_behind_the_newest_misses_none_of_several_that_put(tasks: SqlTasks) -> None:
    inbox, each, many = tasks.inbox, 15, 3
    inbox.put("shop", parcel(0), 9999)  # of two that are the first for a cluster one has to come again
    after = inbox.last("shop")
    senders = [
        threading.Thread(target=lambda at=at: [inbox.put("shop", parcel(at * 100 + n), 9999) for n in range(each)])
        for at in range(many)
    ]
    for sender in senders:
        sender.start()
    found: list[float] = []
    while len(found) < each * many and (any(sender.is_alive() for sender in senders) or inbox.last("shop") > after):
        for number, one in inbox.parcels("shop", after, 5):
            after = number
            found.append(one.at)
    assert sorted(found) == sorted(float(at * 100 + n) for at in range(many) for n in range(each))
