"""Who a request comes from, and the sessions that remember it."""

from __future__ import annotations

import secrets
from contextlib import suppress

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from nightowl.core.errors import Unavailable
from nightowl.core.values import Author, Role, User
from nightowl.web import cookies
from nightowl.web.access import suffices
from nightowl.web.audit import record
from nightowl.web.bearer import Bearer, Credentials, Password, credentials, digest
from nightowl.web.cookies import Cookies
from nightowl.web.handlers import LOOPBACK_NAMES, Handlers
from nightowl.web.hosts import host_name
from nightowl.web.sign_in import SignIn
from nightowl.web.visitor import LOCAL, Visitor

LIFETIME = 14 * 86400.0
"""Seconds that a session lasts."""

USED = 60.0
"""Seconds within which a token's uses are written down once."""

_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")


class Sessions:
    """Recognises visitors, and opens and closes their sessions in the store."""

    def __init__(self, handlers: Handlers) -> None:
        self._store = handlers.store
        self._clock = handlers.clock
        self._settings = handlers.settings
        self._sign_in = SignIn(handlers.store, handlers.clock)

    def visitor(self, request: HTTPConnection, *, api: bool) -> Visitor | None:
        """Who asks; None: nobody known. ``api`` also takes a token, or a name and password (HTTP Basic).

        What is given counts, also on this machine: a viewer's token makes nobody more than a viewer.
        """
        given = credentials(request) if api else None
        if given is not None:
            return self._by_credentials(given, client_address(request))
        if self._is_local(request):
            return LOCAL
        return self._by_cookie(self.cookies(request).given(cookies.SESSION))

    def check_password(self, name: str, password: str, address: str) -> User | None:
        """The user whose name and password these are; None: wrong. Raises ``TooManyTries``."""
        return self._sign_in.check(name, password, address)

    def anybody(self) -> bool:
        """Whether any user exists."""
        with self._store.read() as unit:
            return bool(unit.users.all())

    def open(self, request: Request, response: Response, user: str, *, what: str = "sign-in") -> None:
        """Start a session and give its cookie to ``response``; a session that was open before ends."""
        own = self.cookies(request)
        token, before = secrets.token_urlsafe(32), own.given(cookies.SESSION)
        with self._store.transaction() as unit:
            if before:
                unit.users.close_session(digest(before))
            unit.users.open_session(digest(token), user, self._clock.now() + LIFETIME)
            record(unit, Author("user", user, client_address(request)), self._clock.now(), what, user)
        response.set_cookie(own.name(cookies.SESSION), token, **own.options(int(LIFETIME)))

    def close(self, request: Request, response: Response) -> None:
        """End the request's session, if it has one, and take its cookie back."""
        own = self.cookies(request)
        token = own.given(cookies.SESSION)
        if not token:
            return
        with self._store.transaction() as unit:
            user = unit.users.session(digest(token), self._clock.now())
            unit.users.close_session(digest(token))
            if user:
                record(unit, request.state.author, self._clock.now(), "sign-out", user.name)
        options = own.options()
        response.delete_cookie(
            own.name(cookies.SESSION),
            path=options["path"],
            secure=options["secure"],
            httponly=options["httponly"],
            samesite=options["samesite"],
        )

    def cookies(self, request: HTTPConnection) -> Cookies:
        """The request's cookies."""
        return Cookies(self._settings, request)

    def _is_local(self, request: HTTPConnection) -> bool:
        """Whether the request was made on this machine, for this machine, and not handed on by a proxy."""
        host = host_name(request.headers.get("host", ""))
        forwarded = any(header in request.headers for header in _FORWARDED)
        return self._settings.is_loopback and host in LOOPBACK_NAMES and not forwarded

    def _by_cookie(self, token: str) -> Visitor | None:
        if not token:
            return None
        with self._store.read() as unit:
            user = unit.users.session(digest(token), self._clock.now())
        return Visitor(name=user.name, role=user.role, cookie=True) if user else None

    def _by_credentials(self, given: Credentials, address: str) -> Visitor | None:
        if isinstance(given, Bearer):
            return self._by_token(given.token)
        user = self.check_password(given.name, given.password, address) if isinstance(given, Password) else None
        return Visitor(name=user.name, role=user.role) if user else None

    def _by_token(self, text: str) -> Visitor | None:
        now = self._clock.now()
        with self._store.read() as unit:
            found = unit.tokens.find(digest(text), now)
        if found is None:
            return None
        token, owner = found
        if token.used is None or now - token.used >= USED:
            with suppress(Unavailable), self._store.transaction() as unit:
                unit.tokens.used(token.name, now)
        return Visitor(name=token.name, role=_lesser(token.role, owner), token=token.name)


def client_address(request: HTTPConnection) -> str:
    """Whence the request came, as far as trusted proxies say."""
    return request.client.host if request.client else "unknown"


def _lesser(role: Role, owner: User | None) -> Role:
    """A token may never do more than its owner may now."""
    return role if owner is None or suffices(owner.role, role) else owner.role
