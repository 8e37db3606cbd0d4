"""The actor's reports: outcomes every 100 ms, and a beat every second with the batches that it holds."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable

from nightowl.adapters.celery_bus.app import REPORT
from nightowl.adapters.celery_bus.director_clock import DirectorClock
from nightowl.adapters.celery_bus.packing import FRESH, KEEP, pack_report
from nightowl.adapters.celery_bus.sealing import Keyring
from nightowl.adapters.celery_bus.sender import Message, Sender
from nightowl.core.batches import split
from nightowl.core.errors import BusUnavailable
from nightowl.core.values import Outcome, Report
from nightowl.ports import Clock

FLUSH = 0.1
"""Seconds between reports with something to say."""

BEAT = 1.0
"""Seconds between reports in any case."""


class Reporter:
    """Collects what an actor has to say about each of its locations, and says it from a thread of its own.

    Reports are issued in director time, so that the director may refuse old ones whatever the actor's clock says.
    """

    def __init__(
        self,
        sender: Sender,
        clock: Clock,
        director_clock: DirectorClock,
        keyring: Keyring,
        *,
        actor: str,
        locations: Iterable[str],
    ) -> None:
        self._sender = sender
        self._clock = clock
        self._director_clock = director_clock
        self._keyring = keyring
        self._actor = actor
        self._lock = threading.Lock()
        self._taken: defaultdict[str, list[str]] = defaultdict(list)
        self._holding: dict[str, dict[str, int]] = {location: {} for location in locations}
        self._outcomes: defaultdict[str, list[Outcome]] = defaultdict(list)
        self._told: dict[str, tuple[str, ...]] = {}
        self._offline: set[str] = set()
        self._number = 0
        self._beaten = -BEAT
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)

    def start(self) -> None:
        """Begin to report."""
        self._thread.start()

    def stop(self) -> None:
        """Say what is left and goodbye, and end."""
        self._stopping.set()
        self._thread.join(2.0)
        self.flush(leaving=True)

    def taken(self, location: str, batch: str, jobs: int) -> None:
        """A batch of so many jobs was taken, and is held until all of them are finished."""
        with self._lock:
            self._taken[location].append(batch)
            if jobs:
                self._holding[location][batch] = jobs

    def finished(self, location: str, batch: str, outcome: Outcome | None) -> None:
        """A job of a batch is finished; without an outcome it came too late to be run."""
        with self._lock:
            if outcome is not None:
                self._outcomes[location].append(outcome)
            held = self._holding[location]
            held[batch] -= 1
            if not held[batch]:
                del held[batch]

    def offline(self, location: str, offline: bool) -> None:
        """Whether all control targets of a location failed when they were tried last."""
        with self._lock:
            if offline:
                self._offline.add(location)
            else:
                self._offline.discard(location)

    @property
    def held(self) -> int:
        """Jobs under way."""
        with self._lock:
            return sum(sum(batches.values()) for batches in self._holding.values())

    def flush(self, *, leaving: bool = False) -> None:
        """Report what there is to say; every second also that there is nothing. ``leaving``: for the last time."""
        beat = leaving or self._clock.monotonic() - self._beaten >= BEAT
        if beat:
            self._beaten = self._clock.monotonic()
        for location in self._holding:
            with self._lock:
                taken, outcomes = self._taken.pop(location, []), self._outcomes.pop(location, [])
                holding = tuple(self._holding[location])
                before, self._told[location] = self._told.get(location, ()), holding
                offline = location in self._offline
            runs = list(split(outcomes)) or ([()] if beat or taken else [])
            for place, run in enumerate(runs):
                # Until the last run is out, batches whose outcomes may be in it must not look dropped.
                last = place == len(runs) - 1
                report = Report(
                    actor=self._actor,
                    location=location,
                    sent=self._clock.now(),
                    taken=tuple(taken) if place == 0 else (),
                    holding=holding if last else tuple({*before, *holding, *taken}),
                    outcomes=run,
                    offline=offline,
                    leaving=leaving and last,
                )
                self._send(report)

    def _send(self, report: Report) -> None:
        """Say it: what matters may wait for a broker that does not answer, a beat no longer than for the next one.

        Until the first batch has told director time there is only the own clock to issue beats by. Where it is wrong,
        they are no sign of life.
        """
        self._number += 1
        matters = bool(report.outcomes or report.taken or report.leaving)
        issued = self._director_clock.now()
        life = KEEP if matters else FRESH
        data = pack_report(report, self._keyring, number=self._number, issued=issued, expires=issued + life)
        until = self._clock.monotonic() + (KEEP if matters else BEAT)
        try:
            self._sender.put(Message(REPORT, REPORT, data, until))
        except BusUnavailable:
            return

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH):
            self.flush()
