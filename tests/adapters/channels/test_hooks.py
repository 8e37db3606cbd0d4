"""Hooks against real receivers: what they take, refuse, postpone and do not answer."""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from threading import Event

import pytest

from nightowl.adapters.channels.hook import deliver
from nightowl.adapters.channels.webhook import signature
from nightowl.core.cluster.settings import HookSettings
from nightowl.core.cluster.task import Task
from nightowl.core.errors import DeliveryFailed
from nightowl.roles import hooks as role
from nightowl.roles.hooks import Hooks
from tests.services.bus_parts import wait_for

SECRET = "whsec-77aa"
BASE = "https://owl.example"


@pytest.fixture
def hooks(monkeypatch):
    found = Hooks()
    yield found
    monkeypatch.setattr(role, "FAREWELL", 0.2)
    found.end()


def tell(hooks: Hooks, uuid: str = "u", event: str = "task-failed", redact: Callable = lambda task: task) -> None:
    hooks.tell("shop", event, 1_790_000_000.0, Task(uuid=uuid, name="shop.charge", args="('secret',)"), redact)


def figures(hooks: Hooks) -> Counter[str]:
    """What came of deliveries, over all hooks; nothing that is 0."""
    found: Counter[str] = Counter()
    for result, count in re.findall(r'hook_deliveries_total{.*result="(\w+)"} (\d+)', hooks.metrics()):
        found[result] += int(count)
    return +found


def said(receiver) -> list[str]:
    return [json.loads(request.body)["task"]["uuid"] for request in receiver.requests]


def test_an_event_arrives_signed_with_its_key(receiver):
    before = int(time.time())
    deliver(HookSettings(name="h", url=receiver.url, secret=SECRET), "shop/u/task-failed/1.0", b'{"a": 1}')
    [request] = receiver.requests
    sent = int(request.headers["X-NightOwl-Signature"].partition(",")[0].removeprefix("t="))
    assert before <= sent <= time.time()
    assert request.headers["X-NightOwl-Signature"] == signature(SECRET, sent, request.body)
    assert request.headers["X-NightOwl-Key"] == "shop/u/task-failed/1.0"
    assert request.headers["Content-Type"] == "application/json"


def test_a_refusal_tells_neither_the_secret_nor_the_address(receiver, reply):
    receiver.answer = lambda handler: reply(handler, 403, f"no: {SECRET}".encode())
    with pytest.raises(DeliveryFailed) as caught:
        deliver(HookSettings(name="h", url=receiver.url, secret=SECRET), "k", b"{}")
    assert caught.value.permanent
    assert str(caught.value) == "the host answered 403 Forbidden: no: ***"


def test_a_receiver_of_an_own_authority_is_trusted(tls_receiver, ca):
    deliver(HookSettings(name="h", url=tls_receiver.url, ca=ca), "k", b"{}")
    assert len(tls_receiver.requests) == 1


def test_each_event_goes_once_to_each_hook_that_wants_it(receiver, hooks):
    wants = {
        "failures": HookSettings(name="failures", url=receiver.url),
        "all": HookSettings(name="all", url=receiver.url, on=("task-failed", "task-succeeded")),
        "other": HookSettings(name="other", url=receiver.url, clusters=("bakery",)),
    }
    hooks.follow(wants, BASE)
    tell(hooks, "a")
    tell(hooks, "b", "task-succeeded")
    tell(hooks, "c", "task-revoked")
    wait_for(lambda: figures(hooks)["accepted"] == 3)
    assert sorted(said(receiver)) == ["a", "a", "b"]
    body = json.loads(receiver.requests[0].body)
    assert body["url"].startswith("https://owl.example/clusters/shop/tasks/")


def test_what_is_sent_is_redacted_and_the_task_that_goes_on_is_not(receiver, hooks):
    hooks.follow({"h": HookSettings(name="h", url=receiver.url)}, BASE)
    task = Task(uuid="u", name="shop.charge", args="('secret',)")

    def redact(copied: Task) -> Task:
        copied.args = "('***',)"
        return copied

    hooks.tell("shop", "task-failed", 1.0, task, redact)
    wait_for(lambda: receiver.requests)
    assert json.loads(receiver.requests[0].body)["task"]["args"] == "('***',)"
    assert task.args == "('secret',)"


def reset(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())


def answering(first: Callable, reply: Callable) -> Callable:
    """Answer the first request in a way of its own, all others with 200."""
    left = [first]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if left:
            left.pop()(handler)
        else:
            reply(handler, 200)

    return answer


@pytest.mark.parametrize("status", [429, 500, 503, None], ids=str)
def test_what_fails_is_sent_again_as_it_was(receiver, reply, hooks, status):
    first = reset if status is None else lambda handler: reply(handler, status)
    receiver.answer = answering(first, reply)
    hooks.follow({"h": HookSettings(name="h", url=receiver.url)}, BASE)
    tell(hooks)
    wait_for(lambda: figures(hooks) == {"failed": 1, "accepted": 1})
    assert receiver.requests[0].body == receiver.requests[1].body


def test_a_receiver_is_left_alone_for_as_long_as_it_asks(receiver, reply, hooks):
    times = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        times.append(time.monotonic())
        if len(times) == 1:
            reply(handler, 429, Retry_After="2")
        else:
            reply(handler, 200)

    receiver.answer = answer
    hooks.follow({"h": HookSettings(name="h", url=receiver.url)}, BASE)
    tell(hooks)
    wait_for(lambda: len(times) == 2)
    assert times[1] - times[0] >= 1.9


def test_a_receiver_that_hangs_holds_up_neither_the_reader_nor_another_hook(receiver, reply, hooks):
    def answer(handler: BaseHTTPRequestHandler) -> None:
        if receiver.requests[-1].path == "/hang":
            handler.server.ending.wait()
        else:
            reply(handler, 200)

    receiver.answer = answer
    hang = receiver.url.replace("/hook", "/hang")
    hooks.follow({"a": HookSettings(name="a", url=hang), "b": HookSettings(name="b", url=receiver.url)}, BASE)
    began = time.monotonic()
    for number in range(100):
        tell(hooks, str(number))
    assert time.monotonic() - began < 5
    wait_for(lambda: figures(hooks)["accepted"] == 100)


def test_a_refused_event_is_dropped_and_the_next_is_sent(receiver, reply, hooks):
    receiver.answer = answering(lambda handler: reply(handler, 400), reply)
    hooks.follow({"h": HookSettings(name="h", url=receiver.url)}, BASE)
    tell(hooks, "a")
    wait_for(lambda: figures(hooks) == {"refused": 1})
    tell(hooks, "b")
    wait_for(lambda: figures(hooks)["accepted"])
    assert said(receiver) == ["a", "b"]
    assert 'nightowl_hook_dropped_total{hook="h",reason="refused"} 1.0' in hooks.metrics()


def test_what_waits_is_sent_where_a_reload_says(receiver, free_port, hooks):
    hooks.follow({"h": HookSettings(name="h", url=f"http://127.0.0.1:{free_port}/")}, BASE)
    tell(hooks)
    wait_for(lambda: figures(hooks)["failed"])
    hooks.follow({"h": HookSettings(name="h", url=receiver.url)}, BASE)
    wait_for(lambda: receiver.requests)


def test_a_hook_that_is_no_more_is_told_nothing(receiver, hooks):
    hooks.follow({"h": HookSettings(name="h", url=receiver.url)}, BASE)
    hooks.follow({}, BASE)
    tell(hooks)
    hooks.end()
    assert receiver.requests == []


def test_the_end_waits_for_what_is_under_way_but_not_for_long(receiver, reply, monkeypatch, caplog):
    let_go, hooks = Event(), Hooks()
    receiver.answer = lambda handler: (let_go.wait(30), reply(handler, 200))
    hooks.follow({"h": HookSettings(name="h", url=receiver.url)}, BASE)
    for number in range(10):
        tell(hooks, str(number))
    wait_for(lambda: len(receiver.requests) == role.HANDS)
    monkeypatch.setattr(role, "FAREWELL", 0.2)
    hooks.end()
    let_go.set()
    assert "6 events were not delivered before the end" in caplog.text


def test_an_orderly_end_loses_nothing(receiver):
    hooks = Hooks()
    hooks.follow({"h": HookSettings(name="h", url=receiver.url)}, BASE)
    for number in range(50):
        tell(hooks, str(number))
    hooks.end()
    assert sorted(said(receiver), key=int) == [str(number) for number in range(50)]
