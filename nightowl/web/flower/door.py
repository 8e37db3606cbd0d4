"""The door before Flower's paths: NightOwl's own sessions and tokens, and beside them Flower's ways to be let in.

===================================  ====================================================================
``basic_auth``                       who gives one of its pairs may do everything here
``FLOWER_UNAUTHENTICATED_API=true``  so may anybody, where there are no pairs; pages of other sites, too
neither                              the API answers those only who have signed in or bring a token, also
                                     on this machine; the pages answer who sits at this machine as well
===================================  ====================================================================
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from nightowl.core.cluster.settings import FlowerSettings
from nightowl.core.values import Author
from nightowl.web import access, cookies, forgery
from nightowl.web.bearer import Password, credentials
from nightowl.web.flower import paths
from nightowl.web.flower.answers import Failure, plain
from nightowl.web.sessions import Sessions, client_address
from nightowl.web.visitor import Visitor

CLOSED = "FLOWER_UNAUTHENTICATED_API environment variable is required to enable API without authentication"
ANYBODY = Visitor(name="anybody", role="admin")
"""Who an open API lets in. The role holds on Flower's paths only."""

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="NightOwl", charset="UTF-8", Bearer realm="NightOwl"'}


class FlowerDoor:
    """Lets in who may."""

    def __init__(self, settings: FlowerSettings, sessions: Sessions, secret_key: bytes) -> None:
        self._settings = settings
        self._sessions = sessions
        self._secret_key = secret_key

    async def refusal(self, request: Request, path: str) -> Response | None:
        """Say why a request is not let through; None: it is, and carries its visitor."""
        try:
            visitor = await run_in_threadpool(self._let_in, request, path)
        except Failure as failure:
            answer = plain(failure.status, failure.text)
            if failure.status == 401:
                answer.headers.update(_CHALLENGE)
            return answer
        request.state.visitor = visitor
        request.state.author = _author(visitor, client_address(request))
        return Response(status_code=204) if request.method == "OPTIONS" else None

    def _let_in(self, request: Request, path: str) -> Visitor:
        reading = paths.reads(request.method, path)
        if not reading and not self._settings.is_open:
            _refuse_other_sites(request.headers)
        visitor = self._visitor(request, path)
        if not reading and visitor.cookie:
            self._check_token(request)
        least = access.needed(request.method, path)
        if not access.suffices(visitor.role, least):
            raise Failure(403, f"This needs the role {least}; yours is {visitor.role}.")
        return visitor

    def _visitor(self, request: Request, path: str) -> Visitor:
        given = credentials(request)
        if isinstance(given, Password) and self._is_pair(given):
            return Visitor(name=given.name, role="admin")
        if given is None and self._settings.is_open:
            return ANYBODY
        visitor = self._sessions.visitor(request, api=True)
        closed = bool(self._settings.basic_auth) or paths.is_api(path)
        if visitor is not None and not (visitor.local and closed):
            return visitor
        if given is not None or self._settings.basic_auth:
            raise Failure(401, "Access denied")
        raise Failure(401, CLOSED)

    def _is_pair(self, given: Password) -> bool:
        """Whether name and password are one of the pairs; it takes as long whichever it is."""
        said = f"{given.name}:{given.password}".encode(errors="replace")
        right = [hmac.compare_digest(said, pair.encode()) for pair in self._settings.basic_auth]
        return any(right)

    def _check_token(self, request: Request) -> None:
        own = self._sessions.cookies(request)
        given = request.headers.get(forgery.HEADER, "")
        visit, session = own.given(cookies.VISIT), own.given(cookies.SESSION)
        if not forgery.is_token(given, self._secret_key, visit, session):
            raise Failure(403, "A request that a cookie speaks for needs the header X-CSRF-Token.")


def _refuse_other_sites(headers: Headers) -> None:
    """Refuse what a page of another site makes a browser send."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site and site != "same-origin":
        raise Failure(403, "Cross-site request forbidden")
    if not site and origin and not _is_own(origin, headers.get("host", "")):
        raise Failure(403, "Cross-origin request forbidden")


def _is_own(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


def _author(visitor: Visitor, address: str) -> Author:
    return Author("stranger", visitor.name, address) if visitor is ANYBODY else visitor.author(address)
