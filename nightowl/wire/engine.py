"""The engine that runs attempts."""

from __future__ import annotations

from nightowl import plugins
from nightowl.adapters.probes import ThreadEngine, thread_engine
from nightowl.ports import Engine


def engine() -> ThreadEngine:
    """Return the engine for a process that is not patched by gevent."""
    return thread_engine(plugins.probes())


def gevent_engine() -> Engine:
    """Return the engine for a process that gevent has patched; imports gevent."""
    from nightowl.adapters.probes.loop_gevent import gevent_engine as make  # noqa: PLC0415 - must not be imported elsewhere

    return make(plugins.probes())
