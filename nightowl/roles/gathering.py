"""Run roles side by side in one process, until a signal ends them."""

from __future__ import annotations

import gc
import logging
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Protocol

log = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds that each role gets to end."""

GARBAGE = 20_000
"""Objects made beyond those freed, before cycles are looked for.

With thousands of checks in memory every search takes a tenth of a second, and a role makes hardly any cycles.
"""


class Role(Protocol):
    """A part of the product that runs until it is told to stop."""

    @property
    def name(self) -> str:
        """What it is called in ``nightowl health``."""

    @property
    def fault(self) -> str:
        """What it cannot reach now, empty: nothing."""

    def run(self, stop: threading.Event) -> None:
        """Run until ``stop`` is set."""


def run(roles: Sequence[Role], *, reload: Callable[[], None] | None = None, stop: threading.Event | None = None) -> int:
    """Run roles until SIGINT or SIGTERM (or ``stop``); SIGHUP calls ``reload``. Return the exit status.

    Roles end in the order given, each when the one before has ended. One that fails ends all: status 1.
    """
    stop = stop or threading.Event()
    ends: SimpleQueue[None] = SimpleQueue()
    _handle_signals(ends, reload)
    spare_collector()
    stops = [threading.Event() for _ in roles]
    failed: list[str] = []

    def work(role: Role, own_stop: threading.Event) -> None:
        try:
            role.run(own_stop)
        except Exception:
            log.exception("the %s failed", role.name)
            failed.append(role.name)
        finally:
            ends.put(None)

    threads = [
        threading.Thread(target=work, args=pair, name=pair[0].name, daemon=True)
        for pair in zip(roles, stops, strict=True)
    ]
    for thread in threads:
        thread.start()
    _wait(ends, stop)
    for thread, own_stop in zip(threads, stops, strict=True):
        own_stop.set()
        thread.join(PATIENCE)
    return 1 if failed else 0


def spare_collector() -> None:
    """Let the search for cycles pass over what is in memory now, and come less often."""
    gc.freeze()
    gc.set_threshold(GARBAGE, 10, 10)


def _wait(ends: SimpleQueue[None], stop: threading.Event) -> None:
    """Wait until an end is asked for, and leave ``stop`` set."""
    while not stop.is_set():
        with suppress(Empty):
            ends.get(timeout=1.0)
            stop.set()


def _handle_signals(ends: SimpleQueue[None], reload: Callable[[], None] | None) -> None:
    if threading.current_thread() is not threading.main_thread():
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        # A signal may come while this very thread is inside a lock of an Event: to set that would wait for itself, for
        # ever. Of all that can wake a waiting thread, only this queue may be used from a handler.
        ends.put(None)

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    if reload is not None:
        signal.signal(signal.SIGHUP, lambda _number, _frame: reload())
