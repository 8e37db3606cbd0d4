"""The watcher: takes in the events of Celery clusters, and knows their tasks, workers and queues."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
import threading
from collections.abc import Collection

from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.errors import Unavailable
from nightowl.flows.forget import Forgetting
from nightowl.flows.tenure import Tenure
from nightowl.flows.watch import Watch
from nightowl.roles.hooks import Hooks
from nightowl.roles.installation import Installation
from nightowl.roles.pulse import Pulse
from nightowl.roles.watched import Watched
from nightowl.wire.addresses import link
from nightowl.wire.checks import compile_check
from nightowl.wire.clock import CLOCK
from nightowl.wire.own_app import OwnApp
from nightowl.wire.watcher import MetricsOfClusters, Watching, redactor, watching

log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks at which clusters there are."""

SWITCH = 0.001
"""Seconds after which a busy thread lets another one run: a page of metrics needs several turns between the two that
read and write."""

PATIENCE = 15.0
"""Seconds that a cluster's watch gets to end."""


class WatcherRole:
    """Watches the clusters of an installation, or some of them. One process watches a cluster, others stand by."""

    name = "watcher"

    def __init__(
        self, installation: Installation, clusters: Collection[str] = (), *, own: OwnApp | None = None
    ) -> None:
        """``clusters`` are names; empty: all. ``own`` is the app of the one cluster that there is then."""
        self._own = own
        self._installation = installation
        self._clusters = clusters
        # in a container that is started again, host name and process id are what they were
        self._holder = f"{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}"
        self._running: dict[str, _Running] = {}
        self._forgetting = Forgetting(installation.tasks, CLOCK)
        self._metrics = MetricsOfClusters(installation.current, installation.tasks)
        self._hooks = Hooks()

    @property
    def fault(self) -> str:
        """What it cannot reach now, empty: nothing."""
        return "; ".join(each.watched.fault for each in list(self._running.values()) if each.watched.fault)

    def metrics(self, cluster: str = "", *, flower: bool = False) -> str:
        """The metrics of all clusters and of hooks, or of one cluster without the label ``cluster``.

        ``flower``: with Flower's families beside those of one cluster. Raises ``NotFound`` or ``Unavailable``.
        """
        text = self._metrics.text(self._live(), cluster, flower=flower)
        return text if cluster else text + self._hooks.metrics()

    def flower_metrics(self, cluster: str = "", **_: bool) -> str:
        """The same of one cluster (empty: the first), without its label and with Flower's families, asked or not."""
        name = cluster or next(iter(self._wanted()), "")
        return self._metrics.text(self._live(), name, flower=True)

    def run(self, stop: threading.Event) -> None:
        """Watch what is configured until ``stop``; a cluster whose settings change is begun anew."""
        sys.setswitchinterval(SWITCH)
        pulse = Pulse(self.name)
        try:
            while not stop.wait(LOOK):
                self._follow()
                self._forget()
                pulse.beat(self.fault)
        finally:
            for name in list(self._running):
                self._end(name)
            self._hooks.end()
            pulse.end()

    def _live(self) -> dict[str, Watch]:
        """The watches of this process, by cluster."""
        shown = {name: each.watched.shown for name, each in list(self._running.items())}
        return {name: watch for name, watch in shown.items() if watch}

    def _follow(self) -> None:
        current = self._installation.current()
        self._hooks.follow(current.hooks, link(current))
        wanted = self._wanted()
        for name, running in list(self._running.items()):
            if wanted.get(name) != running.settings:
                self._end(name)
            elif not running.thread.is_alive():
                raise RuntimeError(f"the watch of {name} ended by itself")
        for name, settings in wanted.items():
            if name not in self._running:
                self._running[name] = self._begin(settings)

    def _forget(self) -> None:
        retention = self._installation.current().retention
        try:
            if self._running:
                self._forgetting.step(retention.tasks, retention.max_tasks)
        except Unavailable as error:
            log.warning("old tasks could not be forgotten, trying again: %s", error)

    def _wanted(self) -> dict[str, ClusterSettings]:
        clusters = self._installation.current().clusters
        return {name: each for name, each in clusters.items() if not self._clusters or name in self._clusters}

    def _begin(self, settings: ClusterSettings) -> _Running:
        installation = self._installation
        tenure = Tenure(installation.store, CLOCK, f"watcher/{settings.name}", self._holder)
        watched = Watched(settings.name, tenure, lambda: self._watching(settings))
        stop = threading.Event()
        thread = threading.Thread(target=watched.run, args=(stop,), name=f"watch of {settings.name}", daemon=True)
        thread.start()
        return _Running(settings, watched, thread, stop)

    def _watching(self, settings: ClusterSettings) -> Watching:
        installation, redact = self._installation, redactor(settings)
        return watching(
            settings,
            installation.current().metrics,
            installation.store,
            installation.tasks,
            lambda stored: compile_check(installation.current(), installation.vault, stored),
            lambda event, at, task: self._hooks.tell(settings.name, event, at, task, redact),
            self._own.schedule if self._own else None,
        )

    def _end(self, name: str) -> None:
        running = self._running.pop(name)
        running.stop.set()
        running.thread.join(PATIENCE)
        if running.thread.is_alive():
            log.error("the watch of %s does not end: what it has not written is missing, as after a crash", name)


class _Running:
    """A cluster under watch."""

    def __init__(
        self, settings: ClusterSettings, watched: Watched, thread: threading.Thread, stop: threading.Event
    ) -> None:
        self.settings = settings
        self.watched = watched
        self.thread = thread
        self.stop = stop
