"""A cluster that is watched, put together of what its configuration says; and the metrics of all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from msgspec.structs import replace

from nightowl.adapters.celery_cluster.beat import entries
from nightowl.adapters.celery_cluster.control.remote import RemoteControl, control
from nightowl.adapters.celery_cluster.depth.factory import depth
from nightowl.adapters.celery_cluster.events import source
from nightowl.adapters.celery_cluster.events.pushed import JoinedSource, Pushed
from nightowl.config import Configuration
from nightowl.core.cluster.beat import Entry
from nightowl.core.cluster.exposition import Exposition, Style
from nightowl.core.cluster.figures import Figures
from nightowl.core.cluster.flower_metrics import flower_metrics
from nightowl.core.cluster.lifecycle import Told
from nightowl.core.cluster.redact import Redaction
from nightowl.core.cluster.saved import unpacked
from nightowl.core.cluster.settings import ClusterSettings, MetricsSettings
from nightowl.core.cluster.state import ClusterState
from nightowl.core.cluster.task import Task
from nightowl.core.errors import NotFound, Unavailable
from nightowl.core.values import Check
from nightowl.flows.inspect import Inspection
from nightowl.flows.task_runs import TaskRuns
from nightowl.flows.watch import Parts, Watch
from nightowl.ports import Store, StoredCheck
from nightowl.ports.clusters import ClusterDepth, ClusterSource, TaskStore
from nightowl.wire.clock import CLOCK

PAUSE = 1.0
"""Seconds between two looks at most."""


class Watching:
    """A watch for one term, and what looks at the cluster's broker and workers beside it."""

    def __init__(self, watch: Watch, inspection: Inspection, close: Callable[[], None]) -> None:
        self.watch = watch
        self._inspection = inspection
        self.close = close

    def look(self) -> float:
        """Ask workers and broker what is due to be asked; return the seconds until the next look."""
        watch, now = self.watch, CLOCK.now()
        # A queue that nobody consumes is told of by those alone who send to it.
        received: dict[str, int] = dict.fromkeys((each.queue for each in list(watch.figures.sent.values())), 0)
        for cell in list(watch.figures.cells.values()):
            received[cell.queue] = received.get(cell.queue, 0) + cell.counts[0]
        again = self._inspection.step(watch.state.workers, now, queues=received, received=received)
        return min(PAUSE, max(0.05, again - now))


def watching(
    settings: ClusterSettings,
    metrics: MetricsSettings,
    store: Store,
    tasks: TaskStore,
    compile_check: Callable[[StoredCheck], Check],
    told: Told | None = None,
    schedule: Callable[[], list[Entry]] | None = None,
) -> Watching:
    """Begin a term; ``told`` takes each end of an execution. Raises ``Unavailable``.

    ``schedule`` reads the beat entries where the cluster's app is this process's own.
    """
    remote, full = remote_of(settings), depth_of(settings)
    inspection = Inspection(remote, full, queues=settings.queues, enable_events=settings.enable_events)
    ran: list[Callable[[str], float | None]] = []
    beat = entries(settings, CLOCK, lambda name: ran[0](name) if ran else None, own=schedule)
    pushed = Pushed(tasks.inbox, settings.name, CLOCK, partial(tasks.get, settings.name))
    stream = JoinedSource(source_of(settings), pushed)
    writer = tasks.writer()
    parts = Parts(
        source=stream,
        tasks=tasks,
        writer=writer,
        store=store,
        clock=CLOCK,
        settings=settings,
        metrics=metrics,
        seen=lambda: inspection.seen,
        beat=beat,
        unread=lambda: beat.missing,
        runs=TaskRuns(store, settings.name, compile_check),
        saving=threading.Lock(),
        redact=redactor(settings),
        told=told,
        pushes=lambda: pushed.is_lively,
    )

    watch = Watch(parts)
    ran.append(watch.ran)
    pushed.sure = lambda: watch.stored_until

    def close() -> None:
        stream.close()
        writer.close()
        beat.close()
        if remote is not None:
            remote.close()
        if full is not None:
            full.close()

    return Watching(watch, inspection, close)


def source_of(settings: ClusterSettings) -> ClusterSource:
    """Return what reads the events that a cluster's broker carries."""
    return source(
        settings.broker,
        clock=CLOCK,
        transport_options=settings.transport_options,
        ssl=settings.tls,
        accept_content=settings.accept_content,
    )


def redactor(settings: ClusterSettings) -> Callable[[Task], Task]:
    """Return what hides in a task what its cluster's settings say."""
    hides = Redaction(settings.arguments, settings.redact)
    argument, text = hides.argument, hides.text

    def redact(task: Task) -> Task:
        task.args, task.kwargs, task.result = argument(task.args), argument(task.kwargs), argument(task.result)
        task.error, task.traceback = text(task.error), text(task.traceback)
        return task

    return redact


def tls_of(settings: ClusterSettings) -> Mapping[str, Any] | None:
    """Return how a cluster's broker is spoken to over TLS, as its adapters take it."""
    tls = settings.tls
    return {"ca": tls.ca, "certificate": tls.certificate, "key": tls.key, "verify": tls.verify} if tls else None


def remote_of(settings: ClusterSettings) -> RemoteControl | None:
    """Return the remote control of a cluster (None: its broker has none)."""
    found = control(
        settings.broker,
        transport_options=settings.transport_options,
        ssl=tls_of(settings),
        default_queue=settings.default_queue,
    )
    return found if found.reaches_workers else None


def depth_of(settings: ClusterSettings) -> ClusterDepth | None:
    """Return what tells how full a cluster's queues are (None: its broker does not)."""
    try:
        return depth(
            settings.broker,
            transport_options=settings.transport_options,
            ssl=tls_of(settings),
            rabbitmq_api=settings.rabbitmq_api,
        )
    except Unavailable:
        return None


class MetricsOfClusters:
    """The metrics of clusters: live of those that this process watches, else as they were stored last.

    What is shown is stored first, so that no watcher that is killed ever counts backwards.
    """

    def __init__(self, current: Callable[[], Configuration], tasks: TaskStore) -> None:
        self._current = current
        self._tasks = tasks
        self._pages: dict[str, tuple[MetricsSettings, Exposition]] = {}
        self._lock = threading.Lock()

    def text(self, live: Mapping[str, Watch], cluster: str = "", *, flower: bool = False) -> str:
        """Return the metrics of all clusters, or of one without the label ``cluster``.

        ``flower``: with those that Flower serves, where it is one. Raises ``NotFound`` or ``Unavailable``.
        """
        known = self._current().clusters
        if cluster and cluster not in known:
            raise NotFound(f"no cluster is called {cluster}")
        with self._lock:
            names = [cluster] if cluster else sorted(known)
            found = [each for name in names if (each := self._of(name, live.get(name))) is not None]
            page = self._page(cluster).render(found, labelled=not cluster)
            if cluster and flower:
                page += "".join(flower_metrics(*each) for each in found)
            for name in names:
                if name in live:
                    live[name].shown()
        return page

    def _of(self, name: str, watch: Watch | None) -> tuple[Figures, ClusterState] | None:
        if watch is not None:
            return watch.figures, replace(watch.state, at=CLOCK.now())
        saved, state = unpacked(self._tasks.figures(name)), self._tasks.state(name)
        return (Figures.decode(saved.figures), state) if saved and state else None

    def _page(self, name: str) -> Exposition:
        settings = self._current().metrics
        if name not in self._pages or self._pages[name][0] != settings:
            style = Style(
                prefix=settings.prefix,
                labels=tuple(sorted(settings.labels.items())),
                generic_hostnames=settings.generic_hostnames,
            )
            self._pages[name] = (settings, Exposition(style))
        return self._pages[name][1]
