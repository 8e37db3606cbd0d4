"""The part of the composition root that probes URLs: ``wire`` imports every adapter, which takes more than a second."""

from __future__ import annotations

from nightowl import plugins
from nightowl.adapters.clock import SystemClock
from nightowl.adapters.probes import ThreadEngine, thread_engine

CLOCK = SystemClock()


def kinds() -> tuple[str, ...]:
    """Return every kind of check that can be run here."""
    return ("http", "https", *plugins.probes())


def engine() -> ThreadEngine:
    """Return the engine for a process that is not patched by gevent."""
    return thread_engine(plugins.probes())
