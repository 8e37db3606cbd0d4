"""The actor: runs checks at some locations, on threads beside other roles or in a process patched by gevent."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Callable, Sequence

from nightowl.config import Configuration
from nightowl.roles.pulse import Pulse
from nightowl.wire.bus import actors
from nightowl.wire.engine import engine, gevent_engine


class ActorRole:
    """One process's actor. ``pool``: ``threads`` or ``gevent``. Of ``current`` it follows the locations' keys."""

    name = "actor"

    def __init__(
        self, current: Callable[[], Configuration], locations: Sequence[str], *, pool: str = "threads"
    ) -> None:
        self._engine = gevent_engine() if pool == "gevent" else engine()
        # A container's process has one number for ever: what a former one said must not pass for this one's word.
        name = f"{socket.gethostname()}.{os.getpid()}-{secrets.token_hex(2)}"
        self._actors = actors(current, locations, self._engine, name=name, pool=pool)

    @property
    def fault(self) -> str:
        """What it cannot reach now, empty: nothing."""
        return next((actor.fault for actor in self._actors if actor.fault), "")

    def figures(self) -> dict[str, float]:
        """What it counts, by metric."""
        garbage = sum(actor.garbage.count for actor in self._actors)
        return {
            "nightowl_actor_jobs": float(sum(actor.held for actor in self._actors)),
            "nightowl_actor_garbage_total": float(garbage),
        }

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop``, then finish what is under way and report it."""
        pulse = Pulse(self.name)
        self._engine.start()
        threads = [threading.Thread(target=actor.run, name="actor", daemon=True) for actor in self._actors]
        for thread in threads:
            thread.start()
        try:
            while not stop.wait(1.0):
                if not all(thread.is_alive() for thread in threads):
                    raise RuntimeError("a worker ended by itself")
                pulse.beat(self.fault, self.figures())
        finally:
            _together([actor.stop for actor in self._actors])
            self._engine.stop()
            pulse.end()


def _together(calls: Sequence[Callable[[], None]]) -> None:
    """Make calls side by side, and wait for all of them."""
    threads = [threading.Thread(target=call, daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
