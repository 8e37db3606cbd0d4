"""Probes: http and https through libcurl, many at a time; every other kind as a blocking function.

``loop_thread.thread_engine`` runs the engine in a thread, ``loop_gevent.gevent_engine`` on gevent's hub (importing
this package, or the former, does not import gevent). ``built_in`` has the kinds beside http and https; it imports
what they need, which the package itself does not.
"""

from __future__ import annotations

from nightowl.adapters.probes.loop_thread import ThreadEngine, thread_engine

__all__ = ["ThreadEngine", "thread_engine"]
