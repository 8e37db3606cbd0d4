"""The engine on gevent's hub: for an actor process, patched by gevent before anything else was imported.

libcurl's own waiting (``perform``, ``select``) would block the hub, so it is driven by the hub's io watchers. Their
callbacks run in the hub and must not switch: they only note what is ready and wake the owner greenlet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import gevent
from gevent import event, lock, threadpool
from gevent.monkey import get_original

from nightowl.adapters.probes.engine import ProbeEngine
from nightowl.adapters.probes.sockets import Sockets
from nightowl.ports import Probe

WORKERS = 1000
"""Blocking probes that run at once, each in a greenlet."""
LOOKUPS = 256
"""Names that are looked up at once: a stalled resolver holds a native thread until it gives up."""
COMPUTING = 2
"""Large answers that are judged at once."""
_READY_AT_ONCE = 32
_BREATH = 1e-6
_READ = 1


class GeventLoop:
    """A ``Loop`` for which the hub watches one descriptor: that of the epoll which holds the sockets."""

    def __init__(self) -> None:
        hub = gevent.get_hub()
        self._sockets = Sockets(get_original("select", "epoll")())
        self.watch = self._sockets.watch
        self._woken = event.Event()
        self._waker = hub.loop.async_()
        self._waker.start(self._woken.set)
        self._watcher = hub.loop.io(self._sockets.descriptor, _READ)
        self._more = False

    def wait(self, seconds: float) -> list[tuple[int, int]]:
        """Sleep until something is ready; under saturation let the other greenlets run in between."""
        if seconds <= 0 or self._more:
            # A timer, not sleep(0): the hub runs up to fifty such callbacks before it looks at sockets and timers.
            gevent.sleep(_BREATH)
        else:
            self._watcher.start(self._woken.set)
            self._woken.wait(seconds)
            self._watcher.stop()
        self._woken.clear()
        ready = self._sockets.ready(0, _READY_AT_ONCE)
        self._more = len(ready) == _READY_AT_ONCE
        return ready

    def wake(self) -> None:
        """End the sleep; from any thread."""
        self._waker.send()

    def close(self) -> None:
        """Give watchers and descriptors back."""
        for watcher in (self._watcher, self._waker):
            watcher.stop()
            watcher.close()
        self._sockets.close()


class GeventWorkers:
    """``Workers`` as greenlets.

    Names are looked up and large answers are judged in native threads of their own, so that neither a stalled
    resolver nor a slow pattern holds up the hub.
    """

    def __init__(self, limit: int = WORKERS) -> None:
        self._slots = lock.BoundedSemaphore(limit)
        self._lookups = threadpool.ThreadPool(LOOKUPS)
        self._computing = threadpool.ThreadPool(COMPUTING)

    def run(self, job: Callable[[], None]) -> None:
        """Run ``job`` in a greenlet when one may."""
        gevent.spawn(self._serve, job)

    def compute(self, job: Callable[[], None]) -> None:
        """Run ``job`` in a native thread, beside the hub."""
        gevent.spawn(self._computing.apply, job)  # which waits for a free thread, but not here

    def look_up(self, job: Callable[[], None]) -> None:
        """Run ``job`` in a native thread, beside the hub."""
        gevent.spawn(self._lookups.apply, job)

    def close(self) -> None:
        """Let the native threads end, but do not wait for those that hang in the resolver."""
        self._computing.kill()

    def _serve(self, job: Callable[[], None]) -> None:
        with self._slots:
            job()


class GeventEngine(ProbeEngine):
    """The engine, owned by a greenlet of the hub on which it was made."""

    def __init__(self, probes: Mapping[str, Probe]) -> None:
        super().__init__(GeventLoop(), GeventWorkers(), probes)
        self._greenlet = gevent.Greenlet(self.run)

    def start(self) -> None:
        """Start the owner."""
        self._greenlet.start()

    def stop(self) -> None:
        """End what is under way and wait for the owner; a stopped engine cannot be started again."""
        self.request_stop()
        self._greenlet.join()


def gevent_engine(probes: Mapping[str, Probe]) -> GeventEngine:
    """An engine on this thread's hub; ``probes`` has a function for every kind other than http and https."""
    return GeventEngine(probes)
