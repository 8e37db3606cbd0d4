"""What machines ask without signing in: liveness, readiness and metrics in Prometheus' text format."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from nightowl.core.errors import Unavailable
from nightowl.core.exposition import MEDIA_TYPE, exposition
from nightowl.ports import Store
from nightowl.web.handlers import Handlers

FRESH = 300.0
"""Seconds after which an appended sample is too old to be shown."""


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Whether NightOwl can do its work; ``problems`` names what it cannot reach."""

    ready: bool
    problems: list[str]


class Exposition:
    """The open endpoints."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        here: list[BaseRoute] = [
            Route("/health", self.health),
            Route("/healthcheck", self.health),
            Route("/ready", self.ready),
        ]
        return here if self._handlers.settings.metrics_elsewhere else [*here, Route("/metrics", self.metrics)]

    async def health(self, _: Request) -> Response:
        """Answer, which is all that liveness asks."""
        return PlainTextResponse("OK")

    def ready(self, _: Request) -> Response:
        """Answer 200, or 503 with what cannot be reached."""
        problems = list(self._handlers.unreachable())
        try:
            self._handlers.store.ping()
        except Unavailable as error:
            problems = list(dict.fromkeys([str(error), *problems]))
        body = msgspec.json.encode(Ready(ready=not problems, problems=problems))
        return Response(body, 503 if problems else 200, media_type="application/json")

    def metrics(self, _: Request) -> Response:
        """Show the last round of every check, and the newest sample of every other series."""
        return Response(metrics(self._handlers.store, self._handlers.clock.now()), media_type=MEDIA_TYPE)


def metrics(store: Store, now: float) -> str:
    """Return the metrics at ``now``. Raises ``Unavailable``."""
    with store.read() as unit:
        paused = {stored.name for stored in unit.checks.all() if stored.paused}
        states = [state for state in unit.rounds.states() if state.check not in paused]
        samples = unit.series.latest(now - FRESH)
        actors = [actor for actor in unit.actors.all() if now - actor.heard <= FRESH]
    return exposition(states, samples, actors)
