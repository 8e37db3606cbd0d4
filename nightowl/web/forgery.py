"""Against requests that another site makes a browser send.

Two locks on every write: the ``Origin`` (or ``Sec-Fetch-Site``) that browsers send must be ours, and forms and
requests that a cookie speaks for must carry a token. The token is an HMAC over the visit cookie and the session
(OWASP's signed double submit), so nothing has to be stored.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.datastructures import Headers

FIELD = "csrf"
HEADER = "x-csrf-token"

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


def token(secret_key: bytes, visit: str, session: str) -> str:
    """What a page puts into its forms for this visit and session."""
    return hmac.new(secret_key, f"csrf\0{visit}\0{session}".encode(), sha256).hexdigest()


def is_token(given: str, secret_key: bytes, visit: str, session: str) -> bool:
    """Whether ``given`` is that token; never without a visit cookie."""
    return bool(visit) and hmac.compare_digest(
        given.encode(errors="replace"), token(secret_key, visit, session).encode()
    )


def is_own_origin(headers: Headers, public_host: str) -> bool:
    """Whether a page of ours, or no page at all, made this request."""
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") in {"none", "same-origin"}
    try:
        host = urlsplit(origin).netloc.lower()
    except ValueError:
        return False
    return bool(host) and host in {headers.get("host", "").lower(), public_host}


def is_form(headers: Headers) -> bool:
    """Whether the body is of a type that a form of any site can send."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() in _FORM_TYPES
