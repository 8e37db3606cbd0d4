"""The engine on a thread of its own: for processes that are not patched by gevent."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import SimpleQueue

import pycurl

from nightowl.adapters.probes.engine import ProbeEngine
from nightowl.adapters.probes.sockets import Sockets
from nightowl.ports import Probe

WORKERS = 128
"""Blocking probes that run at once."""
COMPUTING = 2
"""Answers that are judged at once: each more of them would take turns from the owner."""
LOOKUPS = 256
"""Names that are looked up at once: a stalled resolver holds a thread until it gives up."""
_READY_AT_ONCE = 256


class ThreadLoop:
    """A ``Loop`` that sleeps on the sockets themselves, woken by an eventfd among them."""

    def __init__(self) -> None:
        self._sockets = Sockets(select.epoll())
        self.watch = self._sockets.watch
        self._waker = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.watch(self._waker, pycurl.POLL_IN)

    def wait(self, seconds: float) -> list[tuple[int, int]]:
        """Sleep until something is ready."""
        ready = self._sockets.ready(seconds, _READY_AT_ONCE)
        for place, (descriptor, _) in enumerate(ready):
            if descriptor == self._waker:
                del ready[place]
                with suppress(BlockingIOError):
                    os.eventfd_read(descriptor)
                break
        return ready

    def wake(self) -> None:
        """End the sleep; from any thread."""
        os.eventfd_write(self._waker, 1)

    def close(self) -> None:
        """Give descriptors back."""
        self._sockets.close()
        os.close(self._waker)


class Threads:
    """At most ``limit`` daemon threads, started when needed: a stuck one does not keep the process from ending."""

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._started = 0
        self._idle = threading.Semaphore(0)

    def run(self, job: Callable[[], None]) -> None:
        """Run ``job`` on the next free thread."""
        self._jobs.put(job)
        if not self._idle.acquire(blocking=False) and self._started < self._limit:
            self._started += 1
            threading.Thread(target=self._serve, name=f"{self._name}-{self._started}", daemon=True).start()

    def close(self) -> None:
        """Let the threads end."""
        for _ in range(self._started):
            self._jobs.put(None)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            self._idle.release()


class ThreadWorkers:
    """``Workers`` as threads."""

    def __init__(self) -> None:
        self._workers = Threads("probe", WORKERS)
        self._computing = Threads("probe-judge", COMPUTING)
        self._lookups = Threads("probe-lookup", LOOKUPS)
        self.run = self._workers.run
        self.compute = self._computing.run
        self.look_up = self._lookups.run

    def close(self) -> None:
        """Let the threads end."""
        self._workers.close()
        self._computing.close()
        self._lookups.close()


class ThreadEngine(ProbeEngine):
    """The engine, owned by a thread."""

    def __init__(self, probes: Mapping[str, Probe]) -> None:
        super().__init__(ThreadLoop(), ThreadWorkers(), probes)
        self._thread = threading.Thread(target=self.run, name="probe-engine", daemon=True)

    def start(self) -> None:
        """Start the owner."""
        self._thread.start()

    def stop(self) -> None:
        """End what is under way and wait for the owner; a stopped engine cannot be started again."""
        self.request_stop()
        self._thread.join()


def thread_engine(probes: Mapping[str, Probe]) -> ThreadEngine:
    """An engine on a thread; ``probes`` has a function for every kind other than http and https."""
    return ThreadEngine(probes)
