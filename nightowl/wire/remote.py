"""What can be done to each watched cluster, put together of what its configuration says when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from functools import partial
from threading import Lock
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from nightowl.adapters.celery_cluster.control.remote import RemoteControl
from nightowl.adapters.celery_cluster.control.remote import control as made_control
from nightowl.adapters.celery_cluster.control.results import Results
from nightowl.adapters.celery_cluster.depth.management import Management
from nightowl.adapters.celery_cluster.own_app import OwnApp, OwnControl
from nightowl.core.cluster.command import Answer, Command
from nightowl.core.cluster.inspection import task_names
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.errors import NotFound, Unavailable
from nightowl.flows import control
from nightowl.ports import Clock, Store
from nightowl.ports.clusters import TaskStore
from nightowl.wire.watcher import depth_of, tls_of

__all__ = ["Remotes"]


class ClusterRemote(control.Remote):
    """See ``web.remote.Remote``. ``own`` is the cluster's app, where NightOwl was started with it."""

    def __init__(
        self, settings: ClusterSettings, store: Store, tasks: TaskStore, clock: Clock, own: OwnApp | None
    ) -> None:
        self.settings = settings
        self._own = own
        self._plain = control_of(settings)
        self._backing = results_of(settings)
        super().__init__(
            settings.name,
            store,
            tasks,
            clock,
            control=OwnControl(own, self._plain) if own else self._plain,
            results=self._backing,
            ready=partial(_waiting, settings),
            allowed=settings.control,
            keeps_arguments=settings.arguments != "none",
        )

    @property
    def has_results(self) -> bool:
        """Whether a result backend is known."""
        return self._backing is not None

    def tasks(self) -> Collection[str]:
        """Names of tasks that can be called by name."""
        if self._own is not None:
            return self._own.tasks()
        state = self._tasks.state(self.settings.name)
        workers = state.workers if state else ()
        return {name for worker in workers for name in task_names(worker.registered)}

    def look(self, command: Command, timeout: float, expected: Collection[str] = ()) -> list[Answer]:
        """Send a command that changes nothing."""
        return self._control.ask(command, timeout, expected)

    def queue_objects(self) -> list[dict[str, Any]] | None:
        """All queues of the virtual host, as the management API describes them."""
        if not self.settings.rabbitmq_api:
            return None
        host = unquote(urlsplit(self.settings.broker).path[1:]) or "/"
        try:
            said = Management(self.settings.rabbitmq_api, self.settings.broker).get(f"queues/{quote(host, safe='')}")
        except Unavailable:
            return None
        return [each for each in said if isinstance(each, dict)] if isinstance(said, list) else None

    def close(self) -> None:
        """Give connections back."""
        self._plain.close()
        if self._backing is not None:
            self._backing.close()


class Remotes:
    """What can be done to each cluster, by its name, remembered as long as its settings stay. Any thread may ask."""

    def __init__(
        self,
        clusters: Callable[[], Mapping[str, ClusterSettings]],
        store: Store,
        tasks: TaskStore,
        clock: Clock,
        own: OwnApp | None = None,
    ) -> None:
        self._clusters = clusters
        self._make = partial(ClusterRemote, store=store, tasks=tasks, clock=clock, own=own)
        self._lock = Lock()
        self._made: dict[str, ClusterRemote] = {}

    def __call__(self, name: str) -> ClusterRemote:
        """Return that of a cluster, as it is configured now. Raises ``NotFound`` or ``Unavailable``."""
        clusters = self._clusters()
        with self._lock:
            self._forget(clusters)
            if name not in clusters:
                raise NotFound(f"no cluster is called {name}")
            if name not in self._made:
                self._made[name] = self._make(clusters[name])
            return self._made[name]

    def close(self) -> None:
        """Give connections back."""
        with self._lock:
            self._forget({})

    def _forget(self, clusters: Mapping[str, ClusterSettings]) -> None:
        """Close what is no longer configured as it was."""
        for name in [name for name, made in self._made.items() if clusters.get(name) != made.settings]:
            self._made.pop(name).close()


def control_of(settings: ClusterSettings) -> RemoteControl:
    """Return the remote control of a cluster. Raises ``Unavailable`` for a broker that Celery cannot use here."""
    return made_control(
        settings.broker,
        transport_options=settings.transport_options,
        ssl=tls_of(settings),
        default_queue=settings.default_queue,
    )


def results_of(settings: ClusterSettings) -> Results | None:
    """Return a cluster's result backend (None: none is configured)."""
    return Results(settings.backend) if settings.backend else None


def _waiting(settings: ClusterSettings, queue: str) -> int | None:
    """How many messages wait in a queue. What reads that is for one thread, so each question has its own."""
    depth = depth_of(settings)
    if depth is None:
        return None
    with closing(depth):
        (found,) = depth.queues([queue])
    return found.ready
