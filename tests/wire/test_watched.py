"""A watch that fails by a mistake of NightOwl's own begins anew, and nothing else ends with it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from nightowl.core.errors import StoreUnavailable
from nightowl.flows.tenure import Tenure
from nightowl.ports import Lease
from nightowl.roles import watched
from nightowl.roles.watched import Watched
from nightowl.testing.store import memory_store
from nightowl.wire.clock import CLOCK
from nightowl.wire.watcher import Watching


def test_a_watch_that_fails_begins_anew(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(watched, "BROKEN", 0.01)
    monkeypatch.setattr(watched, "STAND_BY", 0.01)
    stop, tries, faults = threading.Event(), [RuntimeError("dictionary changed size"), RuntimeError("again")], []

    def make() -> Watching:
        faults.append(watch.fault)
        if tries:
            raise tries.pop()
        stop.set()
        raise StoreUnavailable("the store is away")

    store = memory_store()
    watch = Watched("shop", Tenure(store, CLOCK, "watcher/shop", "here"), make)
    with caplog.at_level(logging.ERROR):
        watch.run(stop)
    store.close()
    assert faults == ["", *["the watch of shop failed, and begins anew: see the log"] * 2]
    assert "dictionary changed size" in caplog.text
    assert watch.fault == "the store is away"


class Shaky(Tenure):
    """A lease of a store that is away at every other look, and then answers."""

    looks: Iterator[bool]
    stop: threading.Event

    def keep(self) -> Lease | None:
        if (away := next(self.looks, None)) is None:
            self.stop.set()
        if away:
            raise StoreUnavailable("the store is away")
        return None


def test_trouble_that_comes_and_goes_is_told_once_and_is_over_when_it_stays_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watched, "CALM", 0.3)
    monkeypatch.setattr(watched, "STAND_BY", 0.01)
    store = memory_store()
    tenure = Shaky(store, CLOCK, "watcher/shop", "here")
    tenure.looks, tenure.stop = iter([True, False] * 10 + [False] * 60), threading.Event()
    watch = Watched("shop", tenure, lambda: pytest.fail("another process watches"))
    with caplog.at_level(logging.INFO, logger=watched.__name__):
        watch.run(tenure.stop)
    store.close()
    assert caplog.messages == [
        "shop: waiting and trying again: the store is away",
        "shop: going on: what was unavailable answers again",
    ]
    assert watch.fault == ""
