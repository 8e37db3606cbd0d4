"""Saved links to Flower's pages lead to those of NightOwl."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from nightowl.web.handlers import Handlers

PLACES = {
    "/tasks": "/tasks",
    "/task/{subject:path}": "/tasks/",
    "/worker/{subject:path}": "/workers/",
    "/broker": "/queues",
}
"""Flower's pages, and where below its cluster each is here."""


class Links:
    """Answers at the addresses of Flower's pages."""

    def __init__(self, handlers: Handlers) -> None:
        self._clusters = handlers.clusters
        self._prefix = handlers.settings.url_prefix

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        return [Route(path, self._leading(place), methods=["GET"]) for path, place in PLACES.items()]

    def lead(self, request: Request, place: str) -> Response:
        """Lead to a place of the cluster that is meant; of several that are not told apart, to their list."""
        clusters = self._clusters()
        name = request.query_params.get("cluster") or next(iter(clusters if len(clusters) == 1 else ()), "")
        subject = quote(request.path_params.get("subject", ""), safe="@/")
        below = f"/{quote(name, safe='')}{place}{subject}" if name in clusters else ""
        return RedirectResponse(f"{self._prefix}/clusters{below}", 303)

    def _leading(self, place: str) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            return self.lead(request, place)

        return endpoint
