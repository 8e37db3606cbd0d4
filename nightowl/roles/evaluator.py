"""The evaluator: judges rules on sources, on threads."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Callable

from nightowl.config import Configuration
from nightowl.core.values import Sample
from nightowl.roles.pulse import Pulse
from nightowl.wire.evaluator import evaluator


class EvaluatorRole:
    """One process's evaluator. It connects to the broker once a rule of the configuration has a source."""

    name = "evaluator"

    def __init__(self, current: Callable[[], Configuration]) -> None:
        self._current = current
        # in a container that is started again, host name and process id are what they were
        name = f"{socket.gethostname()}.{os.getpid()}-{secrets.token_hex(2)}"
        self._evaluator = evaluator(current, name=name)

    @property
    def fault(self) -> str:
        """What it cannot reach now, empty: nothing."""
        return self._evaluator.fault

    def figures(self) -> list[Sample]:
        """What it counts."""
        return [Sample(metric, (), 0.0, value) for metric, value in self._counts().items()]

    def _counts(self) -> dict[str, float]:
        return {
            "nightowl_evaluator_portions_total": float(self._evaluator.judged),
            "nightowl_evaluator_expired_total": float(self._evaluator.expired),
            "nightowl_evaluator_garbage_total": float(self._evaluator.garbage.count),
        }

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop``, then finish what is under way and report it."""
        pulse = Pulse(self.name)
        thread = threading.Thread(target=self._evaluator.run, name=self.name, daemon=True)
        started = False
        try:
            while not stop.is_set():
                if not started and any(rule.source for rule in self._current().rules.values()):
                    thread.start()
                    started = True
                if started and not thread.is_alive():
                    raise RuntimeError("the worker ended by itself")
                pulse.beat(self.fault, self._counts())
                stop.wait(1.0)
        finally:
            if started:
                self._evaluator.stop()
            pulse.end()
