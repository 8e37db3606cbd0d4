"""Lists of tasks over a store alone: what no worker does on demand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nightowl.core.cluster.task import Task
from nightowl.testing.store import memory_tasks
from nightowl.web.flower import listing
from nightowl.web.flower.listing import Wanted, listed
from nightowl.web.flower.task_object import task_object

NOW = 1_763_665_020.0


@pytest.fixture
def store() -> Iterator[listing.TaskStore]:
    found = memory_tasks()
    found.write(
        "shop",
        [
            Task(
                uuid=f"task-{number:02}",
                name="shop.add",
                state="LOST" if number % 2 else "SUCCESS",
                received=NOW + number,
                updated=NOW + number,
                seen=NOW + number,
            )
            for number in range(20)
        ],
    )
    yield found
    found.close()


def uuids(store: listing.TaskStore, **wanted: object) -> list[str]:
    return [task.uuid for task in listed(store, "shop", Wanted(**wanted)).tasks]  # type: ignore[arg-type]


def test_a_lost_task_is_one_that_was_started(store: listing.TaskStore) -> None:
    found = listed(store, "shop", Wanted(states=("started",))).tasks
    assert len(found) == 10
    assert {task_object(task)["state"] for task in found} == {"STARTED"}
    assert uuids(store, states=("lost",)) == []


def test_both_ways_to_find_tasks_put_them_in_one_order(store: listing.TaskStore) -> None:
    newest = uuids(store)
    assert newest == sorted(newest, reverse=True)
    assert uuids(store, start=NOW - 1) == newest
    assert uuids(store, by="received", descending=True) == newest
    assert uuids(store, by="received") == newest[::-1]
    assert uuids(store, offset=3, limit=4) == uuids(store, offset=3, limit=4, start=NOW - 1) == newest[3:7]


def test_lists_are_bounded(store: listing.TaskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LONGEST", 5)
    monkeypatch.setattr(listing, "MOST", 8)
    assert len(uuids(store)) == len(uuids(store, limit=100)) == len(uuids(store, by="name")) == 5
    assert uuids(store, offset=5) == [f"task-{number:02}" for number in range(14, 11, -1)]  # of the newest eight


def test_a_time_that_no_clock_has_is_left_out() -> None:
    assert task_object(Task(uuid="1", eta=1e300))["eta"] is None
