"""A lease that one of several processes keeps while it works, and another takes over when it does not."""

from __future__ import annotations

import logging

from nightowl.core.errors import LeaseLost, Unavailable
from nightowl.flows.rhythm import Rhythm
from nightowl.ports import Clock, Lease, Store

log = logging.getLogger(__name__)

TERM = 6.0
"""Seconds that a lease lasts; it is renewed every third of them."""


class Tenure:
    """The lease called ``name``, for the process that ``holder`` names."""

    def __init__(self, store: Store, clock: Clock, name: str, holder: str) -> None:
        self._store = store
        self._rhythm = Rhythm(clock)
        self._clock = clock
        self._kept = 0.0
        self._name = name
        self._holder = holder
        self.lease: Lease | None = None

    @property
    def holds(self) -> bool:
        """Whether the lease is ours for certain: it was not, after a pause, taken by another meanwhile."""
        return self.lease is not None and self._clock.monotonic() - self._kept < TERM

    def keep(self) -> Lease | None:
        """Take the lease where it is free, prolong it where it is ours; None: another holds it.

        Call it several times a second. Raises ``LeaseLost`` where another has taken it meanwhile, or ``Unavailable``.
        """
        now = self._clock.monotonic()
        if self.lease is None:
            if self._rhythm.due("acquire", 1.0):
                self._kept = now
                with self._store.transaction() as unit:
                    self.lease = unit.leases.acquire(self._name, self._holder, TERM)
        elif self._rhythm.due("renew", TERM / 3):
            with self._store.transaction() as unit:
                renewed = unit.leases.renew(self.lease, TERM)
            if not renewed:
                self.lease = None
                raise LeaseLost
            self._kept = now
        return self.lease

    def give_back(self) -> None:
        """Let another take it at once."""
        lease, self.lease = self.lease, None
        if lease is None:
            return
        try:
            with self._store.transaction() as unit:
                unit.leases.release(lease)
        except Unavailable as error:
            log.warning("the lease %s could not be given back and runs out by itself: %s", self._name, error)
