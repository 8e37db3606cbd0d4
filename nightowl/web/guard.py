"""The door: every request passes here before any route is looked for.

In order: is the Host one of ours; is the address a plain one; is it open to everyone; is there anything; who asks; may
a write come from there; is the role enough. Flower's paths have a door of their own (``flower.door``) at that place.
What comes through carries ``state.visitor``, ``state.author``, ``state.csrf`` and, for forms, ``state.form``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from urllib.parse import quote

from starlette._utils import get_route_path
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nightowl.core.errors import Unavailable
from nightowl.core.values import Author
from nightowl.web import access, cookies, forgery, hosts
from nightowl.web.addressing import has_controls
from nightowl.web.flower import paths
from nightowl.web.flower.door import FlowerDoor
from nightowl.web.handlers import Handlers
from nightowl.web.sessions import Sessions, client_address
from nightowl.web.throttle import TooManyTries
from nightowl.web.visitor import Visitor

BODY_LIMIT = 4 * 1024 * 1024
"""Bytes of a request's body at most."""

Refusal = Callable[[Request, int, str], Response]
"""Turns a status and a sentence into an answer that fits the request (a page or JSON)."""


class Guard:
    """ASGI middleware that lets through only who may, and denies everything by default."""

    def __init__(self, app: ASGIApp, handlers: Handlers, sessions: Sessions, refusal: Refusal) -> None:
        self._app = app
        self._settings = handlers.settings
        self._sessions = sessions
        self._refusal = refusal
        self._flower = FlowerDoor(handlers.flower, sessions, handlers.settings.secret_key)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on with the visitor known."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        if scope["type"] != "http":
            return
        request = Request(scope, _bounded(receive))
        given = self._sessions.cookies(request).given(cookies.VISIT)
        visit = given or secrets.token_urlsafe(16)
        answer = await self._answer(request, given, visit)
        bare = bool(given or answer) or is_open(request) or paths.is_flowers(get_route_path(request.scope))
        onward = send if bare else self._visiting(request, send, visit)
        await (answer(scope, receive, send) if answer else self._app(scope, request.receive, onward))

    async def _answer(self, request: Request, given: str, visit: str) -> Response | None:
        """Say why the request is not let through; None: it is."""
        if unfit := self._unfit(request):
            return unfit
        if is_open(request):
            return None
        try:
            return await self._check(request, get_route_path(request.scope) or "/", given, visit)
        except TooManyTries as error:
            answer = self._refusal(request, 429, str(error))
            answer.headers["Retry-After"] = str(error.wait)
            return answer
        except Unavailable as error:
            return self._refusal(request, 503, str(error))
        except HTTPException as error:
            return self._refusal(request, error.status_code, error.detail)

    def _unfit(self, request: Request) -> Response | None:
        """Refuse what is asked of another host, or by an address that routes and roles may read differently."""
        if not hosts.is_ours(request.headers.get("host", ""), self._settings):
            told = "This Host name is not served here. What it is reached by stands in [server] public_url or hosts."
            return self._refusal(request, 421, told)
        if _has_controls(request):
            return self._refusal(request, 400, "An address holds no control characters.")
        return None

    async def _check(self, request: Request, path: str, given: str, visit: str) -> Response | None:
        """Find out who asks and whether they may; an answer means that they may not."""
        if paths.is_flowers(path):
            return await self._flower.refusal(request, path)
        door, least = access.is_door(path), access.needed(request.method, path)
        if not door and least is None:
            raise HTTPException(404, "There is no such page.")
        session = self._sessions.cookies(request).given(cookies.SESSION)
        api = path.startswith("/api/")
        visitor = await run_in_threadpool(self._sessions.visitor, request, api=api)
        address = client_address(request)
        request.state.visitor = visitor
        request.state.author = visitor.author(address) if visitor else Author("stranger", "", address)
        request.state.csrf = forgery.token(self._settings.secret_key, visit, session)
        if request.method not in access.READING:
            await self._check_write(request, visitor, given, session, api=api)
        if visitor is None:
            return None if door else await self._show_door(request, path, api=api)
        if not door and not access.suffices(visitor.role, least):
            raise HTTPException(403, f"This needs the role {least}; yours is {visitor.role}.")
        return None

    async def _check_write(
        self, request: Request, visitor: Visitor | None, visit: str, session: str, *, api: bool
    ) -> None:
        if not forgery.is_own_origin(request.headers, self._settings.public_host):
            raise HTTPException(403, "This request was made by a page of another site.")
        if api:
            if forgery.is_form(request.headers):
                raise HTTPException(415, "The API takes application/json.")
            if visitor is None or not visitor.cookie:
                return
            token = request.headers.get(forgery.HEADER, "")
        else:
            request.state.form = await request.form(max_files=0, max_fields=200)
            if any("\0" in str(value) for value in request.state.form.values()):
                raise HTTPException(400, "A form holds no NUL character.")
            token = str(request.state.form.get(forgery.FIELD, ""))
        if not forgery.is_token(token, self._settings.secret_key, visit, session):
            raise HTTPException(403, "This form has expired. Go back, load the page again, and repeat what you did.")

    async def _show_door(self, request: Request, path: str, *, api: bool) -> Response:
        prefix = self._settings.url_prefix
        if api and "authorization" in request.headers:
            return self._unauthorized(request, "The token, or name and password, is wrong or has ended.")
        if not await run_in_threadpool(self._sessions.anybody):
            if api or path != "/":
                raise HTTPException(403, "Nobody can sign in yet: create the first user at /setup.")
            return RedirectResponse(f"{prefix}/setup", 303)
        if api:
            return self._unauthorized(request, "Sign in, or send a token, or a name and password by HTTP Basic.")
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{prefix}/login?next={quote(path + query)}", 303)

    def _unauthorized(self, request: Request, sentence: str) -> Response:
        answer = self._refusal(request, 401, sentence)
        answer.headers["WWW-Authenticate"] = 'Basic realm="NightOwl", charset="UTF-8", Bearer realm="NightOwl"'
        return answer

    def _visiting(self, request: Request, send: Send, visit: str) -> Send:
        """Give a first visitor the cookie that CSRF tokens are bound to."""
        carrier = Response()
        own = self._sessions.cookies(request)
        carrier.set_cookie(own.name(cookies.VISIT), visit, **own.options())

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", carrier.headers["set-cookie"])
            await send(message)

        return with_cookie


def is_open(request: Request) -> bool:
    """Whether the request is for what is open to everyone."""
    return access.is_open(request.method, get_route_path(request.scope))


def _has_controls(request: Request) -> bool:
    """Whether the path holds a control character. A query may have them, but for the one that no database takes."""
    return has_controls(request.scope["path"]) or b"%00" in request.scope["query_string"]


def _bounded(receive: Receive) -> Receive:
    """Stop reading a body that is longer than any of ours."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_LIMIT:
            raise HTTPException(413, f"A request has at most {BODY_LIMIT // 1024 // 1024} MiB.")
        return message

    return bounded
