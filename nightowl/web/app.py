"""The web application, put together: pages, API, what is open, and the door before all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from nightowl.core.errors import NightOwlError
from nightowl.web.api import audit as api_audit
from nightowl.web.api import channels as api_channels
from nightowl.web.api import checks as api_checks
from nightowl.web.api import clusters as api_clusters
from nightowl.web.api import commands as api_commands
from nightowl.web.api import configuration as api_configuration
from nightowl.web.api import errors as api_errors
from nightowl.web.api import events as api_events
from nightowl.web.api import heartbeats as api_heartbeats
from nightowl.web.api import incidents as api_incidents
from nightowl.web.api import locations as api_locations
from nightowl.web.api import pushed as api_pushed
from nightowl.web.api import rounds as api_rounds
from nightowl.web.api import routes as api_routes
from nightowl.web.api import rules as api_rules
from nightowl.web.api import series as api_series
from nightowl.web.api import silences as api_silences
from nightowl.web.api import task_commands as api_task_commands
from nightowl.web.api import tasks as api_tasks
from nightowl.web.api import tokens as api_tokens
from nightowl.web.api import users as api_users
from nightowl.web.api.described import ERRORS, Described
from nightowl.web.api.strict import StrictJson
from nightowl.web.assets import Assets
from nightowl.web.exposition import Exposition
from nightowl.web.favicon import favicon
from nightowl.web.flower.openness import Openness
from nightowl.web.flower.routes import Flower
from nightowl.web.guard import Guard
from nightowl.web.handlers import Handlers
from nightowl.web.headers import SecurityHeaders
from nightowl.web.live import Live
from nightowl.web.page import Page
from nightowl.web.pages import (
    account,
    audit,
    beat,
    channels,
    check,
    checks,
    cluster,
    clusters,
    edit,
    failures,
    in_workers,
    incidents,
    locations,
    maintenance,
    now,
    queue,
    queues,
    routes,
    rule,
    rule_edit,
    rules,
    send,
    settings,
    silences,
    task,
    tasks,
    users,
    visibility,
    worker,
    workers,
    workflow,
)
from nightowl.web.pages.account import AccountActions
from nightowl.web.pages.actions import Actions
from nightowl.web.pages.cluster_actions import ClusterActions
from nightowl.web.pages.doors import Doors
from nightowl.web.pages.rule_actions import RuleActions
from nightowl.web.pages.silences import SilenceActions
from nightowl.web.pages.users import UserActions
from nightowl.web.pings import Pings
from nightowl.web.prefix import Prefix
from nightowl.web.rendering import Renderer
from nightowl.web.sessions import Sessions
from nightowl.web.site import Site

PAGES = (
    now.PAGE,
    checks.PAGE,
    check.PAGE,
    rules.PAGE,
    rule_edit.NEW,
    rule_edit.EDIT,
    rule.PAGE,
    clusters.PAGE,
    cluster.PAGE,
    workers.PAGE,
    worker.PAGE,
    queues.PAGE,
    queue.PAGE,
    tasks.PAGE,
    task.PAGE,
    workflow.PAGE,
    failures.PAGE,
    beat.PAGE,
    visibility.PAGE,
    in_workers.PAGE,
    settings.PAGE,
    send.PAGE,
    locations.PAGE,
    incidents.LIST,
    incidents.PAGE,
    silences.PAGE,
    maintenance.PAGE,
    channels.PAGE,
    routes.PAGE,
    edit.ADD,
    edit.EDIT,
    account.PAGE,
    users.PAGE,
    audit.PAGE,
)

CHART = Page(path="/checks/{name}/phases", build=check.build_chart, live=False)
"""Data alone: it has a ``.json`` and no page."""

API = "/api/v1"
"""The path of the API."""

_RESOURCES = (
    api_checks,
    api_rounds,
    api_heartbeats,
    api_rules,
    api_clusters,
    api_pushed,
    api_tasks,
    api_commands,
    api_task_commands,
    api_incidents,
    api_silences,
    api_routes,
    api_locations,
    api_channels,
    api_series,
    api_configuration,
    api_users,
    api_tokens,
    api_audit,
)

_DESCRIPTION = """
Everything that the pages show and do. Moments are ISO 8601 in UTC, durations seconds. Every error has the shape
`{"error": "one sentence", "mistakes": [{"file", "key", "found", "allowed"}]}`: 401 not signed in, 403 not allowed,
404 no such thing, 409 refused as things stand (such as changing what a file defines), 422 mistakes in the request,
429 too many failed sign-ins, 503 the store cannot be reached.
"""


def make_app(handlers: Handlers) -> FastAPI:
    """Build the application.

    Raises ``ConfigurationError`` where ``NIGHTOWL_ADMIN_PASSWORD_FILE`` is needed and cannot be used.
    """
    assets = Assets()
    sessions = Sessions(handlers)
    site = Site(handlers, Renderer(handlers, assets), PAGES)
    doors = Doors(site, handlers, sessions)
    doors.prepare()
    live = Live(site, handlers, sessions)
    app = Described(
        title="NightOwl",
        version=version("nightowl"),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
        redirect_slashes=False,  # which would repeat the address, and so the token of a heartbeat
        lifespan=_following(live),
        responses=ERRORS,
    )
    app.state.live, app.state.opened = live, doors.tell_way_in
    app.add_exception_handler(NightOwlError, site.failed)
    app.add_exception_handler(RequestValidationError, api_errors.invalid)
    app.add_exception_handler(HTTPException, site.http_error)
    for resource in _RESOURCES:
        resource.endpoints(handlers).add_to(app, API)
    api_events.endpoints(handlers, sessions, live.closed).add_to(app, API)
    app.router.routes += [
        *Exposition(handlers).routes(),
        *Pings(handlers).routes(),
        *Flower(handlers).routes(),
        Route("/static/{name}", assets.serve),
        Route("/favicon.svg", favicon),
        Route("/login", doors.login, methods=["GET", "POST"]),
        Route("/logout", doors.logout, methods=["POST"]),
        Route("/setup", doors.setup, methods=["GET", "POST"]),
        Route("/live", live.endpoint),
        *Actions(site, handlers, sessions).routes(),
        *RuleActions(site, handlers).routes(),
        *AccountActions(site, handlers, sessions).routes(),
        *UserActions(site, handlers).routes(),
        *SilenceActions(site, handlers).routes(),
        *ClusterActions(site, handlers).routes(),
        site.data_route(CHART),
        *site.routes(),
    ]
    app.add_middleware(StrictJson, refusal=site.refusal)
    app.add_middleware(Guard, handlers=handlers, sessions=sessions, refusal=site.refusal)
    if handlers.flower.is_open:
        app.add_middleware(Openness)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(SecurityHeaders)
    if handlers.settings.url_prefix:
        app.add_middleware(Prefix, prefix=handlers.settings.url_prefix)
    if handlers.settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(handlers.settings.trusted_proxies))
    return app


def _following(live: Live) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        follower = asyncio.create_task(live.follow())
        try:
            yield
        finally:
            live.close()
            follower.cancel()
            with suppress(asyncio.CancelledError):
                await follower

    return lifespan
