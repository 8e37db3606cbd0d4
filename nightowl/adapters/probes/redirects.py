"""Requests, and what becomes of one when an answer redirects it. Pure functions.

Following is decided here and not by libcurl, because libcurl keeps custom credential headers and the method when a
redirect leaves for another origin, and because it does not tell a loop from a long way.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

import msgspec

from nightowl.adapters.probes.failure import Failure
from nightowl.adapters.probes.names import encoded
from nightowl.adapters.probes.redaction import Mask, quoted
from nightowl.core.secrecy import sounds_secret

REDIRECTS = frozenset((301, 302, 303, 307, 308))
_PORTS = {"http": 80, "https": 443}
_TRANSPORT_HEADERS = frozenset(("host", "content-type", "content-length", "transfer-encoding"))


class Request(msgspec.Struct, frozen=True):
    """One hop: what is sent where. ``identified``: the client certificate may be shown."""

    url: str
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    identified: bool

    @property
    def host(self) -> str:
        """The host that it is sent to."""
        return origin(self.url)[1]


@lru_cache(maxsize=4096)
def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)


def located(found: bytes | None, status: int, mask: Mask = str) -> str:
    """The absolute URL of a ``Location`` as libcurl gives it, its host in ASCII; it has percent-encoded the rest.

    ``mask`` hides secrets in what a failure quotes.

    Raises:
        Failure: ``redirect.no_location`` where there is none, or it is no URL; ``dns.malformed`` for its host.
    """
    if not found:
        raise Failure("redirect.no_location", f"status {status} without a Location")
    try:
        parts = urlsplit(found.decode())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _no_url(status) from None
    if parts.netloc.isascii():
        return parts.geturl()
    return urlunsplit(parts._replace(netloc=encoded(host, mask) + (f":{port}" if port else "")))


def follow(
    request: Request, status: int, location: str, visited: Collection[str], limit: int, mask: Mask = str
) -> Request:
    """The request that an answer with a redirect status leads to.

    ``location`` is the absolute URL that it names, ``visited`` the URLs so far, ``limit`` how many redirects may be
    followed; ``mask`` hides secrets in what a failure quotes. Credentials, cookies, the client certificate, method and
    body stay behind when the origin changes.

    Raises:
        Failure: ``redirect.no_location``, ``.scheme``, ``.loop`` or ``.limit``.
    """
    try:
        same = origin(location) == origin(request.url)
        scheme = urlsplit(location).scheme
    except ValueError:
        raise _no_url(status) from None
    if scheme not in _PORTS:
        raise Failure(
            "redirect.scheme", f"redirected to the scheme {quoted(scheme, mask)}; only http and https are followed"
        )
    after = _same_origin(request, status, location) if same else _other_origin(request, location)
    if location in visited and after.method == request.method:
        raise Failure("redirect.loop", "redirected to a URL that was visited before")
    if len(visited) > limit:
        raise Failure("redirect.limit", f"redirected more than {limit} times")
    return after


def _no_url(status: int) -> Failure:
    return Failure("redirect.no_location", f"status {status} with a Location that is no URL")


def _same_origin(request: Request, status: int, location: str) -> Request:
    keeps = status in (307, 308) or request.method in ("GET", "HEAD")
    if keeps:
        return Request(location, request.method, request.headers, request.body, request.identified)
    headers = tuple((name, value) for name, value in request.headers if name.lower() not in _TRANSPORT_HEADERS)
    return Request(location, "GET", headers, b"", request.identified)


def _other_origin(request: Request, location: str) -> Request:
    headers = tuple(
        (name, value)
        for name, value in request.headers
        if name.lower() not in _TRANSPORT_HEADERS and not sounds_secret(name)
    )
    method = request.method if request.method == "HEAD" else "GET"
    return Request(location, method, headers, b"", identified=False)
