"""One cluster that this process watches, or stands by to watch when another process does not any more."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable

from nightowl.core.cluster.events import ENOUGH
from nightowl.core.cluster.standing import fault_of
from nightowl.core.errors import LeaseLost, Unavailable
from nightowl.flows.tenure import Tenure
from nightowl.flows.watch import Watch
from nightowl.wire.clock import CLOCK
from nightowl.wire.watcher import Watching

log = logging.getLogger(__name__)

READ = 0.1
"""Seconds that the reading thread waits for events at most."""

GATHER = 0.004
"""Seconds that the reading thread lets events gather between two reads: to wake for one costs as much as some twenty
events, as others have used the processor's caches meanwhile."""

TURN = 0.05
"""Seconds between two turns of the writing thread."""

BREATH = 0.001
"""Seconds between two turns while more is to be written already: whoever else needs the store gets it meanwhile."""

STAND_BY = 0.25
"""Seconds between two looks at the lease while standing by."""

PATIENCE = 10.0
"""Seconds that each thread gets to end."""

CALM = 6.0
"""Seconds without trouble after which it is over: what the store is used for comes round every five at the latest."""

BROKEN = 5.0
"""Seconds before a watch that failed by a mistake of ours begins anew: other clusters and roles go on meanwhile."""


class Watched:
    """Watches one cluster by three threads: one reads, one looks around, and the role's own writes."""

    def __init__(self, name: str, tenure: Tenure, make: Callable[[], Watching]) -> None:
        """``make`` begins a term: it goes on from what the store has. Raises ``Unavailable``."""
        self.name = name
        self._tenure = tenure
        self._make = make
        self._trouble = ""
        self._troubled = -CALM
        self._unread = ""
        self._pressed = False
        self.watching: Watching | None = None

    @property
    def fault(self) -> str:
        """What it cannot reach now, empty: nothing."""
        watching = self.watching
        return self._trouble or (fault_of(self.name, watching.watch.fault) if watching else "")

    @property
    def shown(self) -> Watch | None:
        """The watch whose figures are the newest that there are (None: another process may watch now)."""
        watching = self.watching
        return watching.watch if watching and self._tenure.holds else None

    def run(self, stop: threading.Event) -> None:
        """Watch or stand by until ``stop``."""
        while not stop.is_set():
            try:
                if self._tenure.keep() is not None:
                    self._term(stop)
                self._note("")
            except LeaseLost:
                log.warning("another process watches %s now", self.name)
            except Unavailable as error:
                self._note(str(error))
            except Exception:
                log.exception("the watch of %s failed", self.name)
                self._trouble = f"the watch of {self.name} failed, and begins anew: see the log"
                stop.wait(BROKEN)
            stop.wait(STAND_BY)
        self._tenure.give_back()

    def _term(self, stop: threading.Event) -> None:
        """Watch until ``stop``, or until the lease is lost."""
        watching = self._make()
        gc.collect()
        gc.freeze()  # what was imported stays: to look through it again and again took a tenth of the CPU
        over = threading.Event()
        threads = [
            threading.Thread(target=self._until, args=(over, each), name=f"{what} {self.name}", daemon=True)
            for what, each in (("reading", lambda: self._read(watching.watch)), ("looking at", watching.look))
        ]
        self.watching = watching
        for thread in threads:
            thread.start()
        log.info("watching %s", self.name)
        try:
            self._write(watching.watch, threads, stop)
            _join(threads, over)
            self._tenure.keep()
            watching.watch.end(self._tenure.keep)
        finally:
            _join(threads, over)
            self.watching = None
            watching.close()

    def _write(self, watch: Watch, threads: list[threading.Thread], stop: threading.Event) -> None:
        while not stop.wait(self._pause(watch)):
            if not all(thread.is_alive() for thread in threads):
                raise RuntimeError(f"{self.name} is not read any more")
            self._note_fault(watch.fault)
            try:
                self._tenure.keep()
                watch.write()
            except LeaseLost:
                raise
            except Unavailable as error:
                self._note(str(error))
            else:
                self._note("")

    def _read(self, watch: Watch) -> float:
        self._pressed = watch.take(READ) >= ENOUGH
        return 0.0 if self._pressed else GATHER

    def _pause(self, watch: Watch) -> float:
        """Seconds until the next turn of the writing thread: what is unread is lost soon, what is unwritten waits."""
        return BREATH if watch.behind and not self._pressed and not self._trouble else TURN

    def _until(self, over: threading.Event, turn: Callable[[], float]) -> None:
        """Repeat until ``over``; ``turn`` returns how many seconds to wait before the next."""
        try:
            while not over.wait(turn()):
                pass
        except Exception:
            log.exception("%s: %s failed", self.name, threading.current_thread().name)

    def _note_fault(self, fault: str) -> None:
        """Tell the log once that the cluster's broker cannot be read, and once that it can again."""
        before, self._unread = self._unread, fault
        if fault and not before:
            log.error("%s; trying again", fault_of(self.name, fault))
        elif before and not fault:
            log.info("the cluster %s is read again", self.name)

    def _note(self, trouble: str) -> None:
        """Note what keeps it from its work (empty: nothing now), and tell the log where that has changed.

        Most turns need nothing of what is away, so that one of them without trouble does not end it.
        """
        now = CLOCK.monotonic()
        if trouble:
            self._troubled = now
        elif now - self._troubled < CALM:
            return
        before, self._trouble = self._trouble, trouble
        if trouble and not before:
            log.error("%s: waiting and trying again: %s", self.name, trouble)
        elif before and not trouble:
            log.info("%s: going on: what was unavailable answers again", self.name)


def _join(threads: list[threading.Thread], over: threading.Event) -> None:
    over.set()
    for thread in threads:
        thread.join(PATIENCE)
