"""Signing in: who a request comes from, and the cookie that remembers it."""

from __future__ import annotations

import base64
import binascii
import secrets
from hashlib import sha256
from typing import Literal, TypedDict

import msgspec
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from nightowl.core.errors import NightOwlError
from nightowl.core.values import User
from nightowl.web import passwords
from nightowl.web.access import Role
from nightowl.web.handlers import LOOPBACK_NAMES, Handlers
from nightowl.web.throttle import Throttle

COOKIE = "nightowl_session"
LIFETIME = 14 * 86400.0
"""Seconds that a session lasts."""

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: by name and role; ``local`` needed no sign-in, ``cookie`` says that a session speaks for them."""

    name: str
    role: Role
    local: bool = False
    cookie: bool = False


LOCAL = Visitor(name="local", role="admin", local=True)
"""Whoever sits at this machine."""


class CookieOptions(TypedDict):
    """Arguments of ``Response.set_cookie``."""

    max_age: int | None
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["lax"]


class TooManyFailures(NightOwlError):
    """Sign-ins of this name or from this address have failed too often; ``wait`` is in seconds."""

    def __init__(self, wait: float) -> None:
        self.wait = int(wait) + 1
        super().__init__(f"Too many failed sign-ins. Try again in {self.wait} seconds.")


class Sessions:
    """Recognises visitors, and opens and closes their sessions in the store."""

    def __init__(self, handlers: Handlers) -> None:
        self._store = handlers.store
        self._clock = handlers.clock
        self._settings = handlers.settings
        self._throttle = Throttle(handlers.clock)

    def is_local(self, request: HTTPConnection) -> bool:
        """Whether the request was made on this machine, for this machine, and not handed on by a proxy."""
        host = host_name(request.headers.get("host", ""))
        forwarded = any(header in request.headers for header in _FORWARDED)
        return self._settings.is_loopback and host in LOOPBACK_NAMES and not forwarded

    def visitor(self, request: HTTPConnection, *, api: bool) -> Visitor | None:
        """Who asks; None: nobody known. ``api`` also takes a name and password (HTTP Basic)."""
        if self.is_local(request):
            return LOCAL
        token = request.cookies.get(COOKIE)
        if token:
            with self._store.read() as unit:
                user = unit.users.session(_digest(token), self._clock.now())
            if user:
                return Visitor(name=user.name, role=user.role, cookie=True)
        credentials = _basic(request) if api else None
        user = self.check_password(*credentials, client_address(request)) if credentials else None
        return Visitor(name=user.name, role=user.role) if user else None

    def check_password(self, name: str, password: str, address: str) -> User | None:
        """The user whose name and password these are; None: wrong. Raises ``TooManyFailures``."""
        keys = (f"name {name[:100]}", f"address {address}")
        if wait := self._throttle.wait(*keys):
            raise TooManyFailures(wait)
        with self._store.read() as unit:
            user = unit.users.get(name)
        if passwords.matches(password, user.password_hash if user else None):
            return user
        self._throttle.failed(*keys)
        return None

    def anybody(self) -> bool:
        """Whether any user exists."""
        with self._store.read() as unit:
            return bool(unit.users.all())

    def open(self, request: Request, response: Response, user: str) -> None:
        """Start a session and give its cookie to ``response``; a session that was open before ends."""
        self.close(request, response)
        token = secrets.token_urlsafe(32)
        with self._store.transaction() as unit:
            unit.users.open_session(_digest(token), user, self._clock.now() + LIFETIME)
        response.set_cookie(COOKIE, token, **self.cookie_options(request, int(LIFETIME)))

    def close(self, request: Request, response: Response) -> None:
        """End the request's session, if it has one, and take its cookie back."""
        token = request.cookies.get(COOKIE)
        if token:
            with self._store.transaction() as unit:
                unit.users.close_session(_digest(token))
            response.delete_cookie(COOKIE, path=self._settings.url_prefix or "/")

    def cookie_options(self, request: HTTPConnection, max_age: int | None = None) -> CookieOptions:
        """How every cookie of ours is set: not for scripts, not for other sites, Secure over https."""
        secure = request.url.scheme == "https" or self._settings.public_url.startswith("https:")
        path = self._settings.url_prefix or "/"
        return {"max_age": max_age, "path": path, "secure": secure, "httponly": True, "samesite": "lax"}


def host_name(host: str) -> str:
    """A Host header without its port, lower case."""
    bare = host.lower()
    return bare if bare.endswith("]") else bare.rsplit(":", 1)[0]


def client_address(request: HTTPConnection) -> str:
    """Whence the request came, as far as trusted proxies say."""
    return request.client.host if request.client else "unknown"


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _basic(request: HTTPConnection) -> tuple[str, str] | None:
    scheme, _, coded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if colon else None
