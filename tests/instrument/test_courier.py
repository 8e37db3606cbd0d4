"""The buffer between tasks and the outside: bounded, counted, and of each process its own."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import pytest

from nightowl_instrument.courier import Courier


class Basket:
    """A carrier that keeps what it is given, once it is let."""

    every, idle, at_once = 0.0, 5.0, 3

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.dropped = 0
        self.open = threading.Event()
        self.open.set()
        self.resets = 0
        self.fails = 0
        self.refuses = 0
        self.refused = threading.Event()

    def carry(self, items: list[Any], dropped: int) -> float:
        assert len(items) <= self.at_once
        self.open.wait(10)
        if self.fails:
            self.fails -= 1
            raise RuntimeError("a mistake")
        if self.refuses:
            self.refuses -= 1
            self.refused.set()
            return 0.2
        self.items += items
        self.dropped += dropped
        return 0.0

    def reset(self) -> None:
        self.resets += 1


def test_all_items_are_carried_in_order() -> None:
    basket = Basket()
    courier = Courier(basket, 1000, "test")
    for number in range(100):
        courier.put(number)
    courier.flush(10)
    assert basket.items == list(range(100))
    courier.put(100)
    courier.flush(10)
    assert basket.items[-1] == 100


def test_more_than_there_is_room_for_is_dropped_and_counted() -> None:
    basket = Basket()
    basket.open.clear()
    courier = Courier(basket, 10, "test")
    for number in range(50):
        courier.put(number)
    basket.open.set()
    courier.flush(10)
    courier.flush(10)
    assert len(basket.items) + courier.dropped == 50
    assert basket.dropped == courier.dropped >= 50 - 10 - 3


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_carries_its_own_alone() -> None:
    basket = Basket()
    basket.open.clear()
    courier = Courier(basket, 1000, "test")
    courier.put("the parent's")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        basket.items.clear()
        basket.open = threading.Event()
        basket.open.set()
        courier.put("the child's")
        courier.flush(10)
        os.write(writer, repr((basket.items, basket.resets)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    assert os.read(reader, 100) == repr((["the child's"], 1)).encode()
    os.close(reader)
    basket.open.set()
    courier.flush(10)
    assert (basket.items, basket.resets) == (["the parent's"], 0)


def test_a_mistake_of_the_carrier_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    basket = Basket()
    basket.fails = 1
    courier = Courier(basket, 1000, "test")
    courier.put(1)
    courier.flush(10)
    courier.flush(10)
    assert basket.items == [1]
    assert "a mistake" in caplog.text


def test_what_came_while_some_had_to_wait_follows_though_nothing_new_comes() -> None:
    basket = Basket()
    basket.refuses = 2
    courier = Courier(basket, 1000, "test")
    courier.put(1)
    assert basket.refused.wait(10)
    courier.put(2)  # wakes, and finds the first one waiting
    courier.put(3)
    end = time.monotonic() + 5
    while len(basket.items) < 3 and time.monotonic() < end:
        time.sleep(0.01)
    assert basket.items == [1, 2, 3]


def test_a_flush_tries_again_until_all_is_taken_and_no_longer_than_it_may() -> None:
    basket = Basket()
    basket.refuses = 2
    courier = Courier(basket, 1000, "test")
    courier.put(1)
    assert basket.refused.wait(10)
    courier.put(2)
    courier.flush(10)
    assert basket.items == [1, 2]
    basket.refuses = 1000
    courier.put(3)
    began = time.monotonic()
    courier.flush(0.3)
    assert 0.25 < time.monotonic() - began < 5.0
    assert basket.items == [1, 2]
