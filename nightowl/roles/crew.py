"""Several processes of one kind: started, started again when they die, and ended together."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Sequence

log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between looks at the processes; one that died is started again no sooner."""

REFUSED = 2
"""The exit status of a process that cannot begin: starting it again is of no use."""

PATIENCE = 15.0
"""Seconds that the processes get to end before they are killed."""


class Crew:
    """Keeps so many processes of a command running."""

    name = "crew"
    fault = ""

    def __init__(self, command: Sequence[str], processes: int) -> None:
        self._command = list(command)
        self._wanted = processes
        self._running: list[subprocess.Popen[bytes]] = []

    def run(self, stop: threading.Event) -> None:
        """Keep them running until ``stop``; raises ``RuntimeError`` when one says that it cannot begin."""
        try:
            while True:
                self._fill()
                if stop.wait(PAUSE):
                    return
        finally:
            self._end()

    def _fill(self) -> None:
        for process in [each for each in self._running if each.poll() is not None]:
            self._running.remove(process)
            if process.returncode == REFUSED:
                raise RuntimeError(f"a process cannot begin: {self._command[-1]}")
            log.warning("process %d ended with status %s; starting another", process.pid, process.returncode)
        while len(self._running) < self._wanted:
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
