"""Sends what NightOwl knows to sinks, each by a thread of its own: a receiver that hangs holds up itself only.

One process of an installation does so, by a lease; the others stand by. It reads the store and nothing else.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Mapping

from nightowl.core.errors import LeaseLost, Unavailable
from nightowl.core.sinks.settings import SinkSettings
from nightowl.core.sinks.turns import next_turn
from nightowl.core.values import Sample
from nightowl.flows.rhythm import Rhythm
from nightowl.flows.snapshot import snapshot
from nightowl.flows.tenure import Tenure
from nightowl.roles.installation import Installation
from nightowl.roles.pulse import Pulse
from nightowl.roles.sink_thread import SinkThread
from nightowl.wire.clock import CLOCK

log = logging.getLogger(__name__)

TURN = 0.2
"""Seconds between looks whether a snapshot is due."""

TELL = 10.0
"""Seconds between samples of a sink's own figures while its receiver neither goes nor comes back."""

FAREWELL = 3.0
"""Seconds that all sinks together get to send what waits when the role ends."""


class SinksRole:
    """Runs the sinks of an installation while it holds their lease."""

    name = "sinks"

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        # in a container that is started again, host name and process id are what they were
        holder = f"{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}"
        self._tenure = Tenure(installation.store, CLOCK, "sinks", holder)
        self._rhythm = Rhythm(CLOCK)
        self._threads: dict[str, SinkThread] = {}
        self._due: dict[str, float] = {}
        self._told: dict[str, bool | None] = {}
        self.fault = ""

    def figures(self) -> list[Sample]:
        """What the sinks have counted."""
        now = CLOCK.now()
        return [sample for thread in list(self._threads.values()) for sample in thread.figures(now)]

    def run(self, stop: threading.Event) -> None:
        """Send, or stand by, until ``stop``."""
        pulse = Pulse(self.name)
        try:
            while not stop.wait(TURN):
                self._step()
                pulse.beat(self.fault)
        finally:
            self._follow({}, FAREWELL)
            self._tenure.give_back()
            pulse.end()

    def _step(self) -> None:
        sinks = self._installation.current().sinks
        try:
            if not sinks and not self._threads:
                self._tenure.give_back()
            elif self._tenure.keep() is None or not self._tenure.holds:
                self._follow({}, 0.0)
            else:
                self._follow(sinks, 0.0)
                self._offer(sinks)
                self._tell()
            self.fault = ""
        except LeaseLost:
            log.warning("another process sends to the sinks now")
            self._follow({}, 0.0)
        except Unavailable as error:
            if not self.fault:
                log.warning("no snapshot for the sinks, trying again: %s", error)
            self.fault = str(error)
        except Exception:
            # whatever goes wrong with sinks, the roles beside this one go on
            if not self.fault:
                log.exception("the sinks get no snapshot; trying again")
            self.fault = "a fault of NightOwl"

    def _follow(self, sinks: Mapping[str, SinkSettings], patience: float) -> None:
        """Let these be the sinks; one whose settings changed begins anew."""
        ending = [thread for name, thread in self._threads.items() if sinks.get(name) != thread.settings]
        deadline = CLOCK.monotonic() + patience
        for thread in ending:
            thread.ask_to_end()
        for thread in ending:
            thread.end(max(0.0, deadline - CLOCK.monotonic()))
            del self._threads[thread.settings.name]
        for name, settings in sinks.items():
            if name not in self._threads:
                self._threads[name] = SinkThread(settings)
                self._due[name] = 0.0

    def _offer(self, sinks: Mapping[str, SinkSettings]) -> None:
        """Hand a snapshot to all sinks whose turn it is."""
        now = CLOCK.now()
        due = [name for name, settings in sinks.items() if self._is_due(name, settings.every, now)]
        if not due:
            return
        samples = snapshot(self._installation.store, now)
        for name in due:
            self._due[name] = next_turn(now, sinks[name].every)
            self._threads[name].offer(samples, now)

    def _is_due(self, name: str, every: float, now: float) -> bool:
        """Whether it is a sink's turn, or the clock was set back."""
        return not self._due[name] - every <= now < self._due[name]

    def _tell(self) -> None:
        """Append what was counted; of a sink whose receiver goes or comes back at once, so that this is not missed."""
        ups = {name: thread.up for name, thread in self._threads.items()}
        whole = self._rhythm.due("figures", TELL)
        names = [name for name in ups if whole or ups[name] != self._told.get(name)]
        if not names:
            return
        now = CLOCK.now()
        with self._installation.store.transaction(self._tenure.lease) as unit:
            unit.series.append(self.name, now, [each for name in names for each in self._threads[name].figures(now)])
        self._told = ups
