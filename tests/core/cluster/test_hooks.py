"""Which hooks an event goes to, and what they are told."""

from __future__ import annotations

import json

import msgspec
import pytest

from nightowl.core.cluster.hooks import Happening, document, is_wanted, pause
from nightowl.core.cluster.settings import HookSettings
from nightowl.core.cluster.task import Task

URL = "https://receiver.example/hook"


def happening(**fields):
    task = Task(uuid="4f2c/é", name="shop.charge", state="FAILURE", args="(1,)", kwargs="{'card': '***'}", **fields)
    return Happening("task-failed", 1_790_000_000.25, "shop", task)


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ({}, True),
        ({"on": ("task-succeeded", "task-failed")}, True),
        ({"on": ("task-succeeded",)}, False),
        ({"clusters": ("sh*",), "tasks": ("mail.*", "shop.*")}, True),
        ({"clusters": ("bakery",)}, False),
        ({"tasks": ("Shop.*",)}, False),
        ({"tasks": ("shop.charge.*",)}, False),
    ],
)
def test_an_event_goes_to_hooks_of_its_kind_cluster_and_task(keys, wanted):
    assert is_wanted(HookSettings(name="h", url=URL, **keys), "task-failed", "shop", "shop.charge") == wanted


def test_the_body_says_which_event_it_is_and_all_of_the_task():
    body = json.loads(msgspec.json.encode(document(happening(error="Boom('x')"), "https://owl.example")))
    assert set(body) == {"version", "key", "event", "at", "cluster", "url", "task"}
    assert (body["version"], body["event"], body["at"], body["cluster"]) == (1, "task-failed", 1_790_000_000.25, "shop")
    assert body["url"] == "https://owl.example/clusters/shop/tasks/4f2c/%C3%A9"
    assert set(body["task"]) == set(Task.__struct_fields__)
    assert (body["task"]["error"], body["task"]["result"]) == ("Boom('x')", None)


def test_a_key_is_of_one_event_and_fit_for_a_header():
    first = happening()
    assert first.key == "shop/4f2c/%C3%A9/task-failed/1790000000.250000"
    assert first.key == happening(error="more is known now").key
    assert first.key != msgspec.structs.replace(first, at=first.at + 1).key


def test_the_size_of_long_texts_counts():
    assert happening(traceback="x" * 5000).size - happening().size == 5000


def test_pauses_grow_and_a_receiver_may_ask_for_longer_ones_but_not_for_ever():
    assert [pause(n, None) for n in (1, 2, 3, 7, 5000)] == [1.0, 2.0, 4.0, 60.0, 60.0]
    assert [pause(1, 17.0), pause(3, 0.0), pause(1, 1e9)] == [17.0, 4.0, 3600.0]
