"""Cookies: what they are called and how they are set."""

from __future__ import annotations

from typing import Literal, TypedDict

from starlette.requests import HTTPConnection

from nightowl.web.handlers import WebSettings
from nightowl.web.hosts import host_name

SESSION = "nightowl_session"
VISIT = "nightowl_visit"


class Options(TypedDict):
    """Arguments of ``Response.set_cookie``."""

    max_age: int | None
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["lax"]


class Cookies:
    """How cookies are set for one request: not for scripts, not for other sites, over https for nothing else.

    Over https the names of those that matter begin with ``__Host-`` (below a prefix ``__Secure-``), so that browsers
    take them from this host alone: no neighbour under the same domain can plant one.
    """

    def __init__(self, settings: WebSettings, request: HTTPConnection) -> None:
        host = host_name(request.headers.get("host", ""))
        is_public = settings.public_url.startswith("https:") and host == host_name(settings.public_host)
        self._secure = request.url.scheme == "https" or is_public
        self._path = settings.url_prefix or "/"
        self._given = request.cookies

    def name(self, kind: str) -> str:
        """What the cookie of this kind is called."""
        if not self._secure:
            return kind
        return f"__Host-{kind}" if self._path == "/" else f"__Secure-{kind}"

    def given(self, kind: str) -> str:
        """The value that came with the request (empty: none)."""
        return self._given.get(self.name(kind), "")

    def options(self, max_age: int | None = None) -> Options:
        """How to set one; ``max_age`` is in seconds (None: until the browser is closed)."""
        return {
            "max_age": max_age,
            "path": self._path,
            "secure": self._secure,
            "httponly": True,
            "samesite": "lax",
        }
