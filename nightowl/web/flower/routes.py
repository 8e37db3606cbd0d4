"""Flower's paths, and what answers at each."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from nightowl.web.flower import control, queues, sending, tasks
from nightowl.web.flower.answers import Failure, plain
from nightowl.web.flower.arguments import arguments
from nightowl.web.flower.face import Endpoint, Face, Handle
from nightowl.web.flower.links import Links
from nightowl.web.flower.workers import Workers, page
from nightowl.web.handlers import Handlers

CONTROL: tuple[tuple[str, Handle], ...] = (
    ("/api/worker/shutdown", control.shut_down),
    ("/api/worker/pool/restart", control.restart_pool),
    ("/api/worker/pool/grow", control.grow_pool),
    ("/api/worker/pool/shrink", control.shrink_pool),
    ("/api/worker/pool/autoscale", control.autoscale_pool),
    ("/api/worker/queue/add-consumer", control.add_consumer),
    ("/api/worker/queue/cancel-consumer", control.cancel_consumer),
    ("/api/task/revoke", control.revoke),
    ("/api/task/timeout", control.limit_time),
    ("/api/task/rate-limit", control.limit_rate),
    ("/api/task/abort", sending.abort),
)
"""What is posted, by the path before the name of the worker or task."""


class Flower:
    """The endpoints."""

    def __init__(self, handlers: Handlers) -> None:
        self._face = Face(handlers)
        self._links = Links(handlers)
        self._workers = Workers()

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        face = self._face
        subject = "/{subject:path}"
        return [
            _get("/api/workers", face.reads(self._workers.api)),
            *(_post(path + subject, face.acts(handle)) for path, handle in CONTROL),
            _get("/api/tasks", face.reads(tasks.tasks)),
            _get("/api/task/types", face.reads(tasks.types)),
            _get("/api/task/info" + subject, face.reads(tasks.info)),
            _post("/api/task/apply" + subject, face.waits(sending.apply, acts=True)),
            _post("/api/task/async-apply" + subject, face.waits(sending.apply_async, acts=True)),
            _post("/api/task/send-task" + subject, face.waits(sending.send, acts=True)),
            _get("/api/task/result" + subject, face.waits(sending.result, acts=False)),
            _get("/api/queues/length", face.reads(queues.lengths)),
            _get("/workers", self.workers),
            *self._links.routes(),
            Route("/tasks/datatable", face.reads(tasks.datatable), methods=["GET", "POST"]),
        ]

    async def workers(self, request: Request) -> Response:
        """The data of Flower's page of workers; the page itself is one of NightOwl's own."""
        try:
            data = (await arguments(request)).flag("json")
        except Failure as failure:
            return plain(failure.status, failure.text)
        return await self._face.reads(page)(request) if data else self._links.lead(request, "/workers")


def _get(path: str, endpoint: Endpoint) -> BaseRoute:
    return Route(path, endpoint, methods=["GET"])


def _post(path: str, endpoint: Endpoint) -> BaseRoute:
    return Route(path, endpoint, methods=["POST"])
