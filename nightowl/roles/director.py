"""The director: schedules rounds, takes in reports, closes rounds; one leads, the others stand by."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading

from nightowl.core.values import Sample
from nightowl.roles.installation import Installation
from nightowl.roles.pulse import Pulse
from nightowl.wire.bus import director_bus
from nightowl.wire.director import leader

log = logging.getLogger(__name__)

TICK = 0.05
"""Seconds between turns of the loop."""

LOOK = 0.25
"""Seconds between looks whether rules are to be evaluated."""

PATIENCE = 10.0
"""Seconds that an evaluation under way gets to end."""


class DirectorRole:
    """Runs a leader over the store and the bus of an installation."""

    name = "director"

    def __init__(self, installation: Installation) -> None:
        self._bus = director_bus(installation.current)
        # in a container that is started again, host name and process id are what they were
        holder = f"{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}"
        self._leader = leader(
            installation.store, self._bus, installation.current, installation.vault, holder, installation.tasks
        )

    @property
    def fault(self) -> str:
        """What it cannot reach now, empty: nothing."""
        return self._leader.fault or self._bus.fault

    @property
    def works(self) -> bool:
        """Whether it leads, and reaches all it needs."""
        return self._leader.leading and not self.fault

    def figures(self) -> list[Sample]:
        """What it has counted while leading."""
        return self._leader.figures()

    def run(self, stop: threading.Event) -> None:
        """Lead or stand by until ``stop``, then let another lead."""
        pulse = Pulse(self.name)
        ended = threading.Event()
        evaluating = threading.Thread(target=self._evaluate, args=(ended,), name="evaluation", daemon=True)
        evaluating.start()
        try:
            while not stop.wait(TICK):
                if not evaluating.is_alive():
                    raise RuntimeError("rules are not evaluated any more")
                self._leader.tick()
                pulse.beat(self.fault)
        finally:
            ended.set()
            evaluating.join(PATIENCE)
            self._leader.stop()
            self._bus.close()
            pulse.end()

    def _evaluate(self, ended: threading.Event) -> None:
        """Evaluate rules beside the loop, which must not wait for that."""
        try:
            while not ended.wait(LOOK):
                self._leader.evaluate()
        except Exception:
            log.exception("the evaluation of rules failed")
