"""What pages and API can do to watched clusters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from threading import Lock
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from nightowl.adapters.celery_cluster.control.remote import control as made_control
from nightowl.adapters.celery_cluster.control.results import Results
from nightowl.adapters.celery_cluster.depth.management import Management
from nightowl.adapters.celery_cluster.own_app import OwnApp, OwnControl
from nightowl.core.cluster.command import Answer, Command
from nightowl.core.cluster.result import TaskResult
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.errors import Unavailable
from nightowl.flows import control
from nightowl.flows.control import Person
from nightowl.ports import Clock, Store
from nightowl.ports.clusters import TaskStore
from nightowl.web.remote import Remote, Who
from nightowl.wire.watcher import tls_of

__all__ = ["Remotes"]


class ClusterRemote:
    """See ``web.remote.Remote``. ``own`` is the cluster's app, where NightOwl was started with it."""

    def __init__(
        self, settings: ClusterSettings, store: Store, tasks: TaskStore, clock: Clock, own: OwnApp | None
    ) -> None:
        plain = made_control(
            settings.broker,
            transport_options=settings.transport_options,
            ssl=tls_of(settings),
            default_queue=settings.default_queue,
        )
        self.settings = settings
        self._tasks = tasks
        self._own = own
        self._control = OwnControl(own, plain) if own else plain
        self._plain = plain
        self._results = Results(settings.backend) if settings.backend else None
        self._flow = control.Remote(
            settings.name,
            store,
            tasks,
            clock,
            control=self._control,
            results=self._results,
            allowed=settings.control,
        )

    @property
    def has_results(self) -> bool:
        """Whether a result backend is known."""
        return bool(self.settings.backend)

    def tasks(self) -> Collection[str]:
        """Names of tasks that can be called by name."""
        if self._own is not None:
            return self._own.tasks()
        state = self._tasks.state(self.settings.name)
        workers = state.workers if state else ()
        return {name.partition(" [")[0] for worker in workers for name in worker.registered}

    def look(self, command: Command, timeout: float, expected: Collection[str] = ()) -> list[Answer]:
        """Send a command that changes nothing."""
        return self._control.ask(command, timeout, expected)

    def act(
        self, command: str, arguments: Mapping[str, Any], workers: Sequence[str], who: Who, timeout: float
    ) -> list[Answer]:
        """Send a command."""
        return self._flow.command(_person(who), command, arguments, workers, confirmed=True, timeout=timeout)

    def send(
        self, task: str, args: Sequence[Any], kwargs: Mapping[str, Any], options: Mapping[str, Any], who: Who
    ) -> str:
        """Send a task."""
        return self._flow.send(_person(who), task, args, kwargs, options)

    def result(self, task: str) -> TaskResult:
        """What is known of a task's result now."""
        return self._flow.result(task)

    def abort(self, task: str, who: Who) -> None:
        """Ask an abortable task to end."""
        self._flow.abort(_person(who), task)

    def close(self) -> None:
        """Give connections back."""
        self._plain.close()
        if self._results is not None:
            self._results.close()

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


class Remotes:
    """What can be done to each cluster, by its name. It is made when it is first asked for; any thread may ask."""

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

    def __call__(self, name: str) -> Remote:
        """Return that of a cluster, as it is configured now."""
        settings = self._clusters()[name]
        with self._lock:
            held = self._made.get(name)
            if held is None or held.settings != settings:
                if held is not None:
                    held.close()
                held = self._made[name] = self._make(settings)
            return held

    def close(self) -> None:
        """Give connections back."""
        with self._lock:
            for remote in self._made.values():
                remote.close()
            self._made.clear()


def _person(who: Who) -> Person:
    return Person(who.author, who.role)
