"""What Flower's endpoints have in common: which cluster is meant, who asks, and how what goes wrong is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from nightowl.core.cluster.person import Person
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.cluster.state import ClusterState
from nightowl.core.errors import ConfigurationError, Refused, Unavailable
from nightowl.ports.clusters import TaskStore
from nightowl.web.flower.answers import Failure, found, plain
from nightowl.web.flower.arguments import Arguments, arguments
from nightowl.web.handlers import Handlers
from nightowl.web.remote import Remote

AWAY = "Broker or result backend unavailable"
READ_ONLY = "Read only mode is enabled"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was let in, about a cluster."""

    request: Request
    arguments: Arguments
    cluster: ClusterSettings
    handlers: Handlers
    now: float

    @property
    def subject(self) -> str:
        """What the path names last: a worker, a task, an id."""
        return str(self.request.path_params["subject"])

    @property
    def tasks(self) -> TaskStore:
        """The store of tasks."""
        return self.handlers.tasks

    @property
    def remote(self) -> Remote:
        """The cluster's control."""
        return self.handlers.remote(self.cluster.name)

    @property
    def patience(self) -> float:
        """Seconds to wait for answers of workers."""
        return self.handlers.flower.patience

    @property
    def who(self) -> Person:
        """Who asks."""
        return Person(self.request.state.author, self.request.state.visitor.role)

    def state(self) -> ClusterState | None:
        """How the cluster stands; None: not seen yet."""
        return self.tasks.state(self.cluster.name)


Handle = Callable[[Asked], Mapping[str, Any]]
"""Makes the data of an answer, or raises ``Failure``. It may block."""

WaitingHandle = Callable[[Asked], Awaitable[Mapping[str, Any]]]
"""The same for what waits long, which no thread may do."""

Endpoint = Callable[[Request], Awaitable[Response]]


class Face:
    """Makes endpoints."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers

    def reads(self, handle: Handle) -> Endpoint:
        """An endpoint that shows something."""

        async def answer(request: Request) -> Response:
            return await _told(request, lambda: self._answer(request, handle, acts=False))

        return answer

    def acts(self, handle: Handle) -> Endpoint:
        """An endpoint that changes something, which ``control = false`` forbids."""

        async def answer(request: Request) -> Response:
            return await _told(request, lambda: self._answer(request, handle, acts=True))

        return answer

    def waits(self, handle: WaitingHandle, *, acts: bool) -> Endpoint:
        """An endpoint that may wait long."""

        async def answer(request: Request) -> Response:
            async def work() -> Mapping[str, Any]:
                return await handle(await self._asked(request, acts=acts))

            return await _told(request, work)

        return answer

    async def _answer(self, request: Request, handle: Handle, *, acts: bool) -> Mapping[str, Any]:
        return await run_in_threadpool(handle, await self._asked(request, acts=acts))

    async def _asked(self, request: Request, *, acts: bool) -> Asked:
        given = await arguments(request)
        cluster = self._cluster(request.query_params.get("cluster", ""))
        if acts and not cluster.control:
            raise Failure(403, READ_ONLY)
        return Asked(
            request=request, arguments=given, cluster=cluster, handlers=self._handlers, now=self._handlers.clock.now()
        )

    def _cluster(self, name: str) -> ClusterSettings:
        clusters = self._handlers.clusters()
        if name and name in clusters:
            return clusters[name]
        if not name and len(clusters) == 1:
            return next(iter(clusters.values()))
        known = ", ".join(clusters)
        if not clusters:
            raise Failure(404, "No cluster is watched: a [cluster.NAME] table, or celery -A APP nightowl, names one")
        if name:
            raise Failure(404, f"Unknown cluster '{name}': there are {known}")
        raise Failure(404, f"Several clusters are watched: say which by ?cluster=NAME, one of {known}")


async def _told(request: Request, work: Callable[[], Awaitable[Mapping[str, Any]]]) -> Response:
    try:
        return found(request, await work())
    except Failure as failure:
        if failure.data is not None:
            return found(request, failure.data, failure.status)
        return plain(failure.status, failure.text)
    except ConfigurationError as error:
        return plain(400, str(error))
    except Refused as error:
        return plain(403, str(error))
    except Unavailable:
        return plain(503, AWAY)
