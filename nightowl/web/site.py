"""From pages to answers: HTML in its frame, the same data as JSON, and errors that read like the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from starlette._utils import get_route_path
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Match, Route

from nightowl.core.cluster.commands import Forbidden, Unconfirmed
from nightowl.core.errors import (
    ConfigurationError,
    DeliveryFailed,
    Mistake,
    NightOwlError,
    NotFound,
    Refused,
    Unavailable,
)
from nightowl.ports import Unit
from nightowl.web import access
from nightowl.web.flower import paths
from nightowl.web.flower.answers import plain
from nightowl.web.handlers import Handlers
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import Frame, Rendered, Renderer, View
from nightowl.web.visitor import Visitor
from nightowl.web.wanted import NotYet, Unanswerable

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "nightowl_theme"
KEYS_COOKIE = "nightowl_keys"

_STATUS: tuple[tuple[type[NightOwlError], int], ...] = (
    (NotFound, 404),
    (Forbidden, 403),
    (Refused, 409),
    (ConfigurationError, 422),
    (DeliveryFailed, 502),
    (Unavailable, 503),
    (Unanswerable, 422),
)

_NO_HEADERS: Mapping[str, str] = {}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What an error says, on a page and in JSON: one shape everywhere."""

    error: str
    mistakes: tuple[Mistake, ...] = ()


class Site:
    """Draws pages for requests."""

    def __init__(self, handlers: Handlers, renderer: Renderer, pages: tuple[Page, ...]) -> None:
        self._handlers = handlers
        self._renderer = renderer
        self._pages = pages
        self._live = [(Route(page.path, self._page_endpoint(page)), page) for page in pages if page.live]

    def routes(self) -> list[BaseRoute]:
        """A route for each page and one for its data; data first, so that ``.json`` is never part of a name."""
        data = [self.data_route(page) for page in self._pages]
        return [*data, *(Route(page.path, self._page_endpoint(page)) for page in self._pages)]

    def data_route(self, page: Page) -> BaseRoute:
        """The route of a page's data."""
        return Route(page.json_path, self._data_endpoint(page))

    def url(self, path: str) -> str:
        """A path of ours as a browser must ask for it."""
        return f"{self._handlers.settings.url_prefix}{path}"

    def page(self, request: Request, build: Callable[[Unit], View], *, live: bool = False) -> Response:
        """A view in its whole frame."""
        view, around = self._build(build)
        frame = self._frame(request, around, live=live)
        return HTMLResponse(self._renderer.draw(view, frame).html, view.status, headers=view.headers)

    def plain(self, request: Request, view: View) -> Response:
        """A view for those who are not inside (yet), or when the store cannot be asked: no counts, no banner."""
        return HTMLResponse(self._renderer.draw(view, self._frame(request)).html, view.status, headers=view.headers)

    def refusal(self, request: Request, status: int, sentence: str) -> Response:
        """An answer that says what was wrong, as JSON to programs and as a page to people."""
        return self.problem(request, status, Problem(error=sentence))

    def problem(
        self, request: Request, status: int, problem: Problem, headers: Mapping[str, str] = _NO_HEADERS
    ) -> Response:
        """The same for an error that may carry mistakes; a page has the ``headers``."""
        path = get_route_path(request.scope)
        if path.startswith("/api/") or path.endswith(".json"):
            return json_response(problem, status)
        return self.plain(
            request, View(template="error.html", title=problem.error, data=problem, status=status, headers=headers)
        )

    def failed(self, request: Request, error: Exception) -> Response:
        """Exception handler: every error of NightOwl's own has a status and is told in its own words."""
        status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
        text = "The definition has mistakes." if isinstance(error, ConfigurationError) else str(error)
        headers = {"Refresh": error.refresh} if isinstance(error, NotYet) else _NO_HEADERS
        return self.problem(request, status, Problem(error=text, mistakes=_mistakes(error)), headers)

    def http_error(self, request: Request, error: Exception) -> Response:
        """Exception handler: what routing refuses, in our words."""
        assert isinstance(error, HTTPException)
        if paths.is_flowers(get_route_path(request.scope)):
            return plain(error.status_code, "", error.headers)
        told = {404: "There is no such page.", 405: "This address is not used that way."}
        answer = self.refusal(request, error.status_code, told.get(error.status_code, error.detail))
        answer.headers.update(error.headers or {})
        return answer

    def redraw(self, address: str, visitor: Visitor | None) -> tuple[Rendered, Frame] | None:
        """Draw the live page at ``address`` (path and query) again; None: no live page, or it is gone."""
        try:
            split = urlsplit(address)
        except ValueError:
            return None
        found = self._find_live(split.path)
        if found is None or not _may_read(visitor, split.path):
            return None
        page, path = found
        query = dict(parse_qsl(split.query))
        try:
            view, around = self._build(lambda unit: page.build(self._ask(unit, path, query, visitor)))
        except (NotFound, Refused, Unanswerable):
            return None
        frame = Frame(**around, path=split.path, visitor=visitor, live=True)
        return self._renderer.draw(view, frame), frame

    def restless(self, address: str) -> bool:
        """Whether the live page at ``address`` is to be drawn again although nothing is new in the feed."""
        found = self._find_live(address.partition("?")[0])
        return found is not None and found[0].restless

    def _find_live(self, path: str) -> tuple[Page, dict[str, str]] | None:
        for route, page in self._live:
            match, found = route.matches({"type": "http", "method": "GET", "path": path})
            if match is Match.FULL:
                return page, found["path_params"]
        return None

    def _page_endpoint(self, page: Page) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            return self.page(request, lambda unit: page.build(self._asked(request, unit)), live=page.live)

        return endpoint

    def _data_endpoint(self, page: Page) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            with self._handlers.store.read() as unit:
                return json_response(page.build(self._asked(request, unit)).data)

        return endpoint

    def _asked(self, request: Request, unit: Unit) -> Ask:
        return self._ask(unit, request.path_params, dict(request.query_params), request.state.visitor)

    def _ask(self, unit: Unit, path: Mapping[str, str], query: Mapping[str, str], visitor: Visitor | None) -> Ask:
        now = self._handlers.clock.now()
        return Ask(handlers=self._handlers, unit=unit, now=now, path=path, query=query, visitor=visitor)

    def _frame(self, request: Request, around: Mapping[str, Any] | None = None, *, live: bool = False) -> Frame:
        theme = request.cookies.get(THEME_COOKIE, "auto")
        state = request.scope.get("state", {})
        return Frame(
            **(around or {"now": self._handlers.clock.now()}),
            path=get_route_path(request.scope) or "/",
            visitor=state.get("visitor") if around else None,
            csrf=state.get("csrf", ""),
            theme=theme if theme in THEMES else "auto",
            keys=request.cookies.get(KEYS_COOKIE) != "off",
            live=live,
        )

    def _build(self, build: Callable[[Unit], View]) -> tuple[View, dict[str, Any]]:
        """Build a view, and what its frame says, from one moment of the store."""
        # Asked first: it may need a connection of its own, which must not be waited for while holding one.
        problems = tuple(self._handlers.problems())
        with self._handlers.store.read() as unit:
            view = build(unit)
            counts, feed = unit.checks.counts(), unit.feed.last()
            kinds = Counter(incident.kind for incident in unit.incidents.open())
        now = self._handlers.clock.now()
        return view, {"now": now, "counts": counts, "open": kinds, "problems": problems, "feed": feed}


def _mistakes(error: Exception) -> tuple[Mistake, ...]:
    """What an error says in parts: its mistakes, or how it would have been confirmed."""
    if isinstance(error, Unconfirmed):
        allowed = "true" if error.count is None else str(error.count)
        return (Mistake(file="", key="confirmed", found="nothing", allowed=allowed),)
    return error.mistakes if isinstance(error, ConfigurationError) else ()


def _may_read(visitor: Visitor | None, path: str) -> bool:
    return visitor is not None and access.suffices(visitor.role, access.needed("GET", path))


def json_response(data: msgspec.Struct, status: int = 200) -> Response:
    """Data as JSON; times in it are Unix seconds, durations seconds."""
    return Response(msgspec.json.encode(data), status, media_type="application/json")
