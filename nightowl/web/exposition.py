"""What machines ask without signing in: liveness, readiness and metrics in Prometheus' text format."""

from __future__ import annotations

import base64
import hmac

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from nightowl.core.exposition import MEDIA_TYPE, exposition
from nightowl.core.known import FRESH
from nightowl.ports import Store
from nightowl.web.handlers import Handlers
from nightowl.web.store_look import StoreLook

OF_CLUSTERS = "celery_"
"""What the names of series of clusters begin with: their sums, which are shown in all detail beside."""


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Whether NightOwl can do its work; ``problems`` names what it cannot reach."""

    ready: bool
    problems: list[str]


class Exposition:
    """The open endpoints."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers
        self._look = StoreLook(handlers.store)

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        here: list[BaseRoute] = [
            Route("/health", self.health),
            Route("/healthcheck", self.healthcheck),
            Route("/ready", self.ready),
        ]
        if self._handlers.settings.metrics_elsewhere:
            return here
        return [*here, Route("/metrics", self.metrics), Route("/metrics/cluster/{cluster}", self.of_cluster)]

    async def health(self, _: Request) -> Response:
        """Answer, which is all that liveness asks."""
        return PlainTextResponse("OK")

    async def healthcheck(self, _: Request) -> Response:
        """Answer as Flower does."""
        return HTMLResponse("OK")

    async def ready(self, _: Request) -> Response:
        """Answer 200, or 503 with what cannot be reached, after some seconds at most."""
        fault = await self._look.fault_soon()
        others = await run_in_threadpool(self._handlers.unreachable)
        problems = list(dict.fromkeys([*([fault] if fault else []), *others]))
        body = msgspec.json.encode(Ready(ready=not problems, problems=problems))
        return Response(body, 503 if problems else 200, media_type="application/json")

    def metrics(self, request: Request) -> Response:
        """Show the last round of every check, the newest sample of every other series, and all watched clusters."""
        if not self._may_read(request):
            return _CLOSED
        own = metrics(self._handlers.store, self._handlers.clock.now())
        return Response(own + self._handlers.cluster_metrics(""), media_type=MEDIA_TYPE)

    def of_cluster(self, request: Request) -> Response:
        """Show one watched cluster, as celery-exporter would; with ``?flower=1`` also as Flower would."""
        if not self._may_read(request):
            return _CLOSED
        flower = request.query_params.get("flower") == "1"
        text = self._handlers.cluster_metrics(request.path_params["cluster"], flower=flower)
        return Response(text, media_type=MEDIA_TYPE)

    def _may_read(self, request: Request) -> bool:
        wanted = self._handlers.settings.metrics_auth
        return not wanted or gives(request.headers.get("authorization", ""), wanted)


_CLOSED = PlainTextResponse("These metrics ask for a user and a password.", 401, {"WWW-Authenticate": "Basic"})


def gives(header: str, account: str) -> bool:
    """Whether an Authorization header has this ``user:password`` (RFC 7617)."""
    scheme, _, encoded = header.partition(" ")
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except ValueError:
        return False
    return scheme.lower() == "basic" and hmac.compare_digest(given, account.encode())


def metrics(store: Store, now: float) -> str:
    """Return the metrics at ``now``. Raises ``Unavailable``."""
    with store.read() as unit:
        paused = {stored.name for stored in unit.checks.all() if stored.paused}
        states = [state for state in unit.rounds.states() if state.check not in paused]
        samples = [sample for sample in unit.series.latest(now - FRESH) if not sample.metric.startswith(OF_CLUSTERS)]
        actors = [actor for actor in unit.actors.all() if now - actor.heard <= FRESH]
    return exposition(states, samples, actors)
