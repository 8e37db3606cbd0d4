"""Several processes of one kind: started, started again when they die, and ended together."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Sequence

from nightowl.core.values import Sample
from nightowl.roles.pulse import FRESH, Sign, signs

log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between looks at the processes; one that died is started again no sooner."""

REFUSED = 2
"""The exit status of a process that cannot begin: starting it again is of no use."""

PATIENCE = 15.0
"""Seconds that the processes get to end before they are killed."""


class Crew:
    """Keeps so many processes of a command running."""

    def __init__(self, role: str, command: Sequence[str], processes: int) -> None:
        """``role`` is what the processes are, as whose signs of life they are looked after."""
        self.name = role
        self._command = list(command)
        self._wanted = processes
        self._running: list[subprocess.Popen[bytes]] = []

    @property
    def fault(self) -> str:
        """What the processes cannot do now, empty: nothing. All of them have to be alive."""
        alive = self._signs()
        if len(alive) < self._wanted:
            return f"{len(alive)} of {self._wanted} processes give signs of life"
        return next((sign.fault for sign in alive if sign.fault), "")

    def figures(self) -> list[Sample]:
        """What the processes count, summed."""
        sums: Counter[str] = Counter()
        for sign in self._signs():
            sums.update(sign.figures)
        found = [Sample(metric, (), 0.0, value) for metric, value in sorted(sums.items())]
        return [*found, Sample("nightowl_actor_processes", (), 0.0, float(len(self._running)))]

    def _signs(self) -> list[Sign]:
        mine = {process.pid for process in self._running}
        return [sign for sign in signs(self.name) if sign.pid in mine and time.time() - sign.at <= FRESH]

    def run(self, stop: threading.Event) -> None:
        """Keep them running until ``stop``; raises ``RuntimeError`` when one says that it cannot begin."""
        try:
            while not stop.is_set():
                # A signal to the whole group may end them a moment before it is heard here, which is no reason for
                # others: so there is a pause between what has ended and what starts instead.
                ended = self._part()
                if ended and stop.wait(PAUSE):
                    return
                for process in ended:
                    log.warning("process %d ended with status %s; starting another", process.pid, process.returncode)
                self._fill(stop)
                stop.wait(PAUSE)
        finally:
            self._end()

    def _part(self) -> list[subprocess.Popen[bytes]]:
        """Part with the processes that have ended, and return them."""
        ended = [each for each in self._running if each.poll() is not None]
        for process in ended:
            self._running.remove(process)
            if process.returncode == REFUSED:
                raise RuntimeError(f"a process cannot begin: {self._command[-1]}")
        return ended

    def _fill(self, stop: threading.Event) -> None:
        while len(self._running) < self._wanted and not stop.is_set():
            self._running.append(subprocess.Popen(self._command))  # noqa: S603 - our own command line

    def _end(self) -> None:
        for process in self._running:
            process.terminate()
        deadline = time.monotonic() + PATIENCE
        for process in self._running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
