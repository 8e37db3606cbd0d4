"""Lead: one director leads by a lease, the others stand by.

The lease is judged by the database's clock. Every transaction of a leader confirms its epoch first, so a leader that
was paused past its term writes nothing any more and stands by.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import inf

from nightowl.core.errors import LeaseLost, Unavailable
from nightowl.core.schedule import STEP
from nightowl.core.values import Sample
from nightowl.flows.checkbook import CheckBook
from nightowl.flows.leadership import Leadership, Parts
from nightowl.flows.rhythm import Rhythm
from nightowl.ports import Lease

log = logging.getLogger(__name__)

LEASE = "director"

TERM = 6.0
"""Seconds that a lease lasts; it is renewed every third of them."""

TROUBLED = 1.0
"""Seconds between two renewals while something is unavailable: they prove that the store is written to again."""

_DIRECTING, _EVALUATING = "directing", "evaluating"

WARM = 30.0
"""Seconds between looks at the checks while standing by."""


class Leader:
    """The director of one process. ``holder`` names the process in the lease.

    ``led`` is called with True when it begins to lead and with False when it ends, so that only a leader takes
    reports from the bus.
    """

    def __init__(self, parts: Parts, *, holder: str, led: Callable[[bool], None] = lambda _: None) -> None:
        self._parts = parts
        self._holder = holder
        self._led = led
        self._lease: Lease | None = None
        self._leadership: Leadership | None = None
        self._rhythm = Rhythm(parts.clock)
        self._book = CheckBook(parts.compile_check)
        self._ahead = -inf
        self._ended: Leadership | None = None
        self._faults = {_DIRECTING: "", _EVALUATING: ""}
        self._kept = 0
        self._kept_before = dict.fromkeys(self._faults, 0)

    @property
    def fault(self) -> str:
        """What it cannot reach now, empty: nothing."""
        return next(filter(None, self._faults.values()), "")

    @property
    def leading(self) -> bool:
        """Whether this process leads."""
        return self._leadership is not None

    def figures(self) -> list[Sample]:
        """What has been counted since this process leads; empty while it stands by."""
        return self._leadership.figures.totals(self._parts.clock.now()) if self._leadership else []

    def tick(self) -> None:
        """Do what is due now; call it every 50 ms. A fault of store or bus is logged once and tried again."""
        try:
            if self._clock_was_set_back():
                self.stop("the clock was set back")
            self._keep_lease()
            if self._leadership is not None:
                self._leadership.tick()
        except LeaseLost:
            self._stand_by("another director leads now")
        except Unavailable as error:
            self._note(_DIRECTING, str(error))
        else:
            if self._leadership is not None:
                self._note(_DIRECTING, "")

    def evaluate(self) -> None:
        """Evaluate the rules if it is time; call it a few times a second, from a thread of its own.

        So that directing does not wait for it. A fault of the store is logged once and tried again.
        """
        leadership = self._leadership
        if leadership is None or leadership is self._ended:
            self._faults[_EVALUATING] = ""
            return
        try:
            leadership.evaluate()
        except LeaseLost:
            self._ended = leadership  # the thread that directs stands by
        except Unavailable as error:
            self._note(_EVALUATING, str(error))
        else:
            self._note(_EVALUATING, "")

    def stop(self, why: str = "stopping") -> None:
        """Let another director lead at once, or this one anew."""
        lease = self._lease
        self._stand_by(why)
        if lease is None:
            return
        try:
            with self._parts.store.transaction() as unit:
                unit.leases.release(lease)
        except Unavailable as error:
            log.warning("the lease could not be given back and runs out by itself: %s", error)

    def _clock_was_set_back(self) -> bool:
        """Whether wall time went back since the last turn, so far that what is scheduled would be long in coming."""
        ahead = self._parts.clock.now() - self._parts.clock.monotonic()
        back, self._ahead = self._ahead - ahead, ahead
        return back > STEP

    def _keep_lease(self) -> None:
        if self._lease is None:
            if self._rhythm.due("warm", WARM):
                self._warm()
            if self._rhythm.due("acquire", 1.0):
                self._acquire()
        elif self._leadership is self._ended:
            raise LeaseLost
        elif self._rhythm.due("renew", TROUBLED if self.fault else TERM / 3):
            with self._parts.store.transaction() as unit:
                renewed = unit.leases.renew(self._lease, TERM)
            if not renewed:
                raise LeaseLost
            self._kept += 1

    def _warm(self) -> None:
        """Compile the checks while standing by: a leader must not spend its first lease on that."""
        with self._parts.store.read() as unit:
            self._book.load(unit, self._parts.plan())

    def _acquire(self) -> None:
        with self._parts.store.transaction() as unit:
            lease = unit.leases.acquire(LEASE, self._holder, TERM)
        self._kept += 1
        if lease is None:
            self._note(_DIRECTING, "")
            return
        self._leadership = Leadership(self._parts, lease, self._book)
        self._lease = lease
        self._led(True)
        log.info("leading since now, epoch %d", lease.epoch)

    def _stand_by(self, why: str) -> None:
        if self._leadership is not None:
            log.info("standing by: %s", why)
            self._led(False)
        self._lease = self._leadership = None

    def _note(self, what: str, fault: str) -> None:
        """Note what keeps a thread from its work (empty: nothing), and tell the log where that has changed.

        Most turns write nothing, and a full disk can be read: so one without a fault ends it only after the lease was
        kept since.
        """
        if fault:
            self._kept_before[what] = self._kept
        elif self._faults[what] and self._kept == self._kept_before[what]:
            return
        before, self._faults[what] = self.fault, fault
        if self.fault and not before:
            log.error("waiting and trying again: %s", fault)
        elif before and not self.fault:
            log.info("going on: what was unavailable answers again")
