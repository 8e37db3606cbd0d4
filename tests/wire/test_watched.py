"""A watch that fails by a mistake of NightOwl's own begins anew, and nothing else ends with it."""

from __future__ import annotations

import logging
import threading

import pytest

from nightowl.core.errors import StoreUnavailable
from nightowl.flows.tenure import Tenure
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
