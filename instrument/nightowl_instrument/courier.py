"""A bounded buffer and the daemon thread that carries what is put into it out of the process.

Tasks only append to a deque. The thread is made by the first item in each process, also in one that was forked, and
sleeps without waking while there is nothing to carry. Under gevent's patches it is a greenlet.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections import deque
from typing import Any, Protocol

log = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds that the end of a process waits for the last of its items at most."""


class Carrier(Protocol):
    """What brings items to where they belong. Only the courier's thread calls it."""

    every: float
    """Seconds that items gather."""
    idle: float
    """Seconds after which it is called though there is nothing."""
    at_once: int
    """Items that it takes at once at most."""

    def carry(self, items: list[Any], dropped: int) -> float:
        """Take items, and how many were dropped since it took some last; return 0.

        A positive number is the seconds after which the same items are to be given again, as they could not be taken.
        """

    def reset(self) -> None:
        """Let go of sockets that belong to the parent of this process."""


class Courier:
    """Carries items by a carrier. ``most`` items wait at most; what comes while they do is dropped and counted."""

    def __init__(self, carrier: Carrier, most: int, name: str) -> None:
        self._carrier = carrier
        self._most = most
        self._name = name
        self._queue: deque[Any] = deque()
        self._begin_anew()
        os.register_at_fork(after_in_child=self._forked)
        atexit.register(self.flush)

    def put(self, item: Any) -> None:
        """Take an item. It never waits and never raises."""
        if len(self._queue) >= self._most:
            with self._counting:
                self.dropped += 1
            return
        self._queue.append(item)
        if self._asleep:
            self._wake()

    def begin(self) -> None:
        """Start the thread though there is nothing yet, for a carrier that has things of its own to tell."""
        self._wake()

    def flush(self, timeout: float = PATIENCE) -> None:
        """Let all that waits be carried now; wait ``timeout`` seconds for it at most, and try again meanwhile."""
        if self._thread is not None and self._thread.is_alive():
            self._done.clear()
            self._hurry.set()
            self._woken.set()
            self._done.wait(timeout)

    def _begin_anew(self) -> None:
        self._queue.clear()
        self._held: list[Any] = []
        self.dropped = self._told = 0
        self._counting = threading.RLock()
        self._asleep = True
        self._starting = threading.Lock()
        self._woken = threading.Event()
        self._hurry = threading.Event()
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def _forked(self) -> None:
        """Leave to the parent what is the parent's."""
        self._begin_anew()
        self._carrier.reset()

    def _wake(self) -> None:
        if not self._starting.acquire(blocking=False):
            return  # another thread does it
        try:
            self._asleep = False
            if self._thread is None or not self._thread.is_alive():
                made = threading.Thread(target=self._run, name=self._name, daemon=True)
                made.start()
                self._thread = made
            self._woken.set()
        except RuntimeError:  # the interpreter ends
            self._asleep = True
        finally:
            self._starting.release()

    def _run(self) -> None:
        wait, waited_for = 0.0, False
        while True:
            if not wait:
                self._woken.wait(self._carrier.idle)
            self._woken.clear()
            hurried = self._hurry.wait(wait or self._carrier.every)
            self._hurry.clear()
            self._asleep = True  # from here on what is put wakes
            try:
                wait = self._step()
            except Exception:
                log.exception("what is measured cannot be told")
                wait = 1.0
            waited_for = waited_for or hurried
            if waited_for and not wait:
                self._done.set()
                waited_for = False

    def _step(self) -> float:
        """Carry what is there, in portions; return the seconds to wait before the next attempt (0: none is needed)."""
        while True:
            fresh = not self._held
            if fresh:
                self._held = self._taken()
            portion, dropped = self._held, self.dropped - self._told
            again = self._carrier.carry(portion, dropped)
            if again:
                return again
            self._held = []
            self._told += dropped
            # Behind a portion that had to wait there may be more, though it is a small one: nothing wakes for that.
            if fresh and len(portion) < self._carrier.at_once:
                return 0.0

    def _taken(self) -> list[Any]:
        queue = self._queue
        return [queue.popleft() for _ in range(min(len(queue), self._carrier.at_once))]
