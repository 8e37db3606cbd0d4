"""Probes: http and https through libcurl, many at a time; every other kind as a blocking function.

``loop_thread.thread_engine`` runs the engine in a thread, ``loop_gevent.gevent_engine`` on gevent's hub (importing
this package, or the former, does not import gevent). ``BUILT_IN`` are the kinds beside http and https.
"""

from __future__ import annotations

from collections.abc import Mapping

from nightowl.adapters.probes import tcp
from nightowl.adapters.probes.loop_thread import ThreadEngine, thread_engine
from nightowl.ports import Probe

BUILT_IN: Mapping[str, Probe] = {"tcp": tcp.probe}

__all__ = ["BUILT_IN", "ThreadEngine", "thread_engine"]
