"""A cluster's events out of the inbox, beside those of its broker.

A thread of its own reads the inbox, as who reads a broker must never wait for a database. A parcel is removed once the
watcher has stored what it says; one that an earlier watcher had not removed is taken again, without what is stored.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from math import inf

from msgspec.structs import replace

from nightowl.core.cluster.events import Intake
from nightowl.core.cluster.pushed import Parcel, joined, slices, unheard
from nightowl.core.cluster.task import Task
from nightowl.core.errors import Unavailable
from nightowl.ports.clock import Clock
from nightowl.ports.clusters import ClusterSource
from nightowl.ports.inbox import Inbox

log = logging.getLogger(__name__)

LOOK = 0.1
"""Seconds between two looks at the inbox while something comes."""

CALM = 0.5
"""Seconds between two looks while nothing does."""

PORTION = 50
"""Parcels read at once."""

WAITING = 20_000
"""Events that wait to be taken before no more are read."""

LIVELY = 300.0
"""Seconds after the last parcel in which a cluster counts as one that pushes. Its workers' hearts beat every two."""

REMOVE = 1.0
"""Seconds between two removals."""

TROUBLED = 2.0
"""Seconds before the next look while the store cannot be reached."""

PATIENCE = 5.0


class Pushed:
    """Reads the inbox of one cluster for one term. ``stored`` returns those of the tasks with these ids that are kept.

    ``sure`` returns up to when (Unix seconds) all that was taken is stored.
    """

    def __init__(
        self,
        inbox: Inbox,
        cluster: str,
        clock: Clock,
        stored: Callable[[Collection[str]], Mapping[str, Task]],
    ) -> None:
        self._inbox = inbox
        self._cluster = cluster
        self._clock = clock
        self._stored = stored
        self.sure: Callable[[], float] = float
        self._parcels: deque[tuple[int, Parcel]] = deque()
        self._taken: deque[tuple[int, float]] = deque()
        self._given = self._took = 0  # events; each is counted by one thread alone
        self._through = 0
        self._trouble = ""
        self._read = 0
        self._left: int | None = None
        self._heard = self._removed_at = float("-inf")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"inbox of {cluster}", daemon=True)

    @property
    def is_lively(self) -> bool:
        """Whether something was pushed lately."""
        return self._clock.monotonic() - self._heard < LIVELY

    @property
    def waits(self) -> bool:
        """Whether there is something to take."""
        return bool(self._parcels)

    def take(self) -> list[tuple[int, Parcel]]:
        """Return the next parcels and their numbers, without waiting. For the thread that reads the broker."""
        if self._thread.ident is None:
            self._thread.start()
        return [self._parcels.popleft() for _ in range(min(PORTION, len(self._parcels)))]

    def took(self, number: int, events: int) -> None:
        """Note that all of a parcel, which had so many events, is taken in. For the same thread."""
        self._took += events
        self._taken.append((number, self._clock.now()))

    def close(self) -> None:
        """End, after what is stored was removed."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join(PATIENCE)
            with suppress(Unavailable):  # then they are taken again, without what is stored
                self._remove_if_due(0.0)

    def _run(self) -> None:
        pause = 0.0
        while not self._over.wait(pause):
            try:
                is_full = self._given - self._took >= WAITING
                pause = LOOK if is_full or self._look() else CALM
                self._remove_if_due(REMOVE)
                if not is_full:  # else nobody asked the store
                    self._note("")
            except Unavailable as error:
                self._note(str(error))
                pause = TROUBLED
            except Exception:
                log.exception("the inbox of %s cannot be read, trying again", self._cluster)
                pause = TROUBLED

    def _look(self) -> bool:
        """Read what is new; return whether there was any."""
        if self._left is None:
            self._left = self._inbox.last(self._cluster)
        found = self._inbox.parcels(self._cluster, self._read, PORTION)
        for number, parcel in found:
            events = parcel.events
            if number <= self._left:
                events = unheard(events, self._stored({event.uuid for event in events if event.uuid}))
            self._given += len(events)
            self._parcels.append((number, replace(parcel, events=events)))
            self._read = number
            self._heard = self._clock.monotonic()
        return bool(found)

    def _remove_if_due(self, every: float) -> None:
        now = self._clock.monotonic()
        if now - self._removed_at < every:
            return
        sure = self.sure()
        while self._taken and self._taken[0][1] <= sure:
            self._through = self._taken.popleft()[0]
        if self._through:
            self._inbox.remove(self._cluster, self._through)
            self._through, self._removed_at = 0, now

    def _note(self, trouble: str) -> None:
        """Note what keeps the inbox from being read (empty: nothing), and tell the log where that has changed."""
        before, self._trouble = self._trouble, trouble
        if trouble and not before:
            log.warning("what workers of %s pushed cannot be read, trying again: %s", self._cluster, trouble)
        elif before and not trouble:
            log.info("going on: what workers of %s pushed is read again", self._cluster)


class JoinedSource:
    """A ``ClusterSource`` of what the broker tells and what workers push."""

    def __init__(self, broker: ClusterSource, pushed: Pushed) -> None:
        self._broker = broker
        self._pushed = pushed
        self._taken: list[tuple[int, Parcel]] = []
        self._slices: deque[Intake] = deque()
        self._turn = False

    @property
    def fault(self) -> str:
        """Why the broker cannot be read now (empty: it can)."""
        return self._broker.fault

    @property
    def silent(self) -> str:
        """Why nothing is ever told of this cluster: its kind of broker carries no events, and no worker pushes any."""
        return "" if self._pushed.is_lively else self._broker.silent

    @property
    def since(self) -> float | None:
        """Since when all is read, in Unix seconds (None: it is not). What is pushed waits, so that none is missed."""
        since = self._broker.since
        if since is None and not self._broker.fault and self._pushed.is_lively:
            return 0.0
        return since

    @property
    def sure(self) -> float | None:
        """Until when all is read, in Unix seconds: what is pushed waits, so that it is what the broker tells."""
        return inf if self.since == 0.0 else self._broker.sure

    def read(self, timeout: float) -> Intake:
        """Return what has arrived, waiting up to ``timeout`` seconds for the first of it; in turn of each."""
        self._turn = not self._turn
        if self._turn:
            self._next_parcels()
            if self._slices:
                return self._slices.popleft()
        return self._broker.read(0.0 if self._slices or self._pushed.waits else timeout)

    def _next_parcels(self) -> None:
        """Say of parcels that they are done with only after what came of them was taken in, and go on with the next."""
        if self._slices:
            return
        for number, parcel in self._taken:
            self._pushed.took(number, len(parcel.events))
        self._taken = self._pushed.take()
        self._slices += joined(each for _, parcel in self._taken for each in slices(parcel))

    def close(self) -> None:
        """Give the connection back."""
        self._broker.close()
        self._pushed.close()
