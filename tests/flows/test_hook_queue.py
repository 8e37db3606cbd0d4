"""What waits for a hook: bounded, in turn, tried again, counted."""

from __future__ import annotations

import pytest

from nightowl.core.errors import DeliveryFailed
from nightowl.flows import hook_queue
from nightowl.flows.hook_queue import HookQueue, Waiting
from tests.flows.cluster_parts import Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def queue(clock):
    return HookQueue("orders", clock)


def event(key, size=1):
    return Waiting(key=key, size=size, make=lambda: b"{}")


def keys(queue):
    """Take all that may be tried now."""
    return [found.key for found in iter(queue.next, None)]


def counts(queue):
    found = {(sample.metric[13:], dict(sample.labels).popitem()[1]): sample.value for sample in queue.samples()}
    return {label: count for (_, label), count in found.items() if count}


def test_events_go_in_their_turn(queue):
    for key in "abc":
        queue.offer(event(key))
    assert keys(queue) == ["a", "b", "c"]
    assert (queue.next(), queue.rest()) == (None, None)


def test_a_failure_pauses_the_hook_longer_each_time_and_lets_the_event_wait_behind_others(queue, clock):
    queue.offer(event("a"))
    queue.offer(event("b"))
    assert queue.failed(queue.next(), DeliveryFailed("away"))
    assert (queue.next(), queue.rest()) == (None, 1.0)
    clock.at += 1
    assert not queue.failed(queue.next(), DeliveryFailed("away"))
    assert queue.rest() == 2.0
    clock.at += 2
    assert keys(queue) == ["a", "b"]
    assert queue.accepted()
    assert not queue.accepted()
    assert counts(queue) == {"accepted": 2, "failed": 2}


def test_several_that_fail_at_once_are_one_failure(queue):
    taken = []
    for key in "abc":
        queue.offer(event(key))
        taken.append(queue.next())
    assert [queue.failed(each, DeliveryFailed("away")) for each in taken] == [True, True, True]
    assert queue.rest() == 1.0


def test_a_receiver_says_how_long_to_wait(queue, clock):
    queue.offer(event("a"))
    queue.failed(queue.next(), DeliveryFailed("slow down", retry_after=30.0))
    clock.at += 29.9
    assert queue.next() is None
    clock.at += 0.2
    assert keys(queue) == ["a"]


def test_what_is_refused_is_not_tried_again(queue):
    queue.offer(event("a"))
    queue.offer(event("b"))
    assert queue.failed(queue.next(), DeliveryFailed("no", permanent=True))
    assert not queue.failed(queue.next(), DeliveryFailed("no", permanent=True))
    assert len(queue) == 0
    assert queue.deliveries["refused"] == queue.dropped["refused"] == 2


def test_of_too_many_the_oldest_go(queue):
    for number in range(hook_queue.MOST + 3):
        queue.offer(event(str(number)))
    assert (len(queue), queue.next().key, queue.dropped["full"]) == (hook_queue.MOST, "3", 3)


def test_of_too_much_the_oldest_go_but_never_the_last(queue):
    for key in "abc":
        queue.offer(event(key, hook_queue.MOST_BYTES // 2))
    assert (keys(queue), queue.dropped["full"]) == (["b", "c"], 1)
    queue.offer(event("d", 2 * hook_queue.MOST_BYTES))
    assert keys(queue) == ["d"]


def test_what_is_a_day_old_goes(queue, clock):
    queue.offer(event("a"))
    clock.at += hook_queue.KEPT / 2
    queue.offer(event("b"))
    clock.at += hook_queue.KEPT / 2
    assert (keys(queue), queue.dropped["old"]) == (["b"], 1)


def test_a_body_is_made_once(queue):
    made = iter([b"1", b"2"])
    waiting = Waiting(key="a", size=1, make=lambda: next(made))
    assert [waiting.made(), waiting.made()] == [b"1", b"1"]


def test_what_waits_at_the_end_is_counted(queue):
    queue.offer(event("a"))
    assert (queue.abandon(), queue.next(), counts(queue)) == (1, None, {"ended": 1})
