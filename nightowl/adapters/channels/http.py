"""One bounded HTTP POST by libcurl, and what its answer means for a delivery.

Redirects are not followed, no more of an answer is read than is needed, and one deadline covers everything from name
resolution to the last byte. Errors never quote the URL: with some receivers it is a secret. As libcurl does, requests
heed the proxy variables of the environment.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

import msgspec
import pycurl

from nightowl import __version__
from nightowl.core.errors import DeliveryFailed
from nightowl.core.redaction import hiding
from nightowl.core.transfers import meaning

READ_LIMIT = 16384
"""Bytes of an answer's body read at most."""

QUOTED = 200
"""Characters of an answer's body that an error quotes at most."""

_TRY_AGAIN = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A POST of ``body`` to ``url``. ``ca`` is PEM text (empty: the system's); ``timeout`` covers all of it.

    ``secrets`` are masked in what is kept of the answer, which may echo what was sent; ``kept`` is its characters.
    """

    url: str
    body: bytes
    headers: Mapping[str, str]
    verify: bool = True
    ca: str = ""
    timeout: float = 10.0
    secrets: tuple[str, ...] = ()
    kept: int = QUOTED


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: ``text`` is the start of the body, ``retry_after`` that header as it came (may be empty)."""

    status: int
    text: str = ""
    retry_after: str = ""


def post(request: Request) -> Answer:
    """Send a request and return its answer, whatever its status.

    Raises ``DeliveryFailed`` where there is none.
    """
    if not request.url.lower().startswith(("http://", "https://")):
        raise DeliveryFailed("the URL is neither http nor https", permanent=True)
    headers, body = BytesIO(), _Bounded(READ_LIMIT)
    curl = pycurl.Curl()
    try:
        _set_up(curl, request)
        curl.setopt(pycurl.HEADERFUNCTION, headers.write)
        curl.setopt(pycurl.WRITEFUNCTION, body.write)
        curl.perform()
    except pycurl.error as error:
        if not body.full:
            raise _failure(error.args[0], request.timeout) from None
    finally:
        status = curl.getinfo(pycurl.RESPONSE_CODE)
        curl.close()
    return Answer(
        status=status,
        text=hiding(request.secrets)(" ".join(body.getvalue().decode(errors="replace").split()))[: request.kept],
        retry_after=_header(headers.getvalue(), "retry-after"),
    )


def accepted(answer: Answer, now: float) -> None:
    """Return where the receiver took the notice, else raise ``DeliveryFailed``.

    429, 408, 425 and 5xx are tried again, after ``Retry-After`` where it was sent; a redirect and any other answer
    will not change by themselves.
    """
    if 200 <= answer.status < 300:
        return
    said = f"the host answered {answer.status} {_phrase(answer.status)}".rstrip()
    if 300 <= answer.status < 400:
        raise DeliveryFailed(f"{said}; redirects are not followed, so give the final address", permanent=True)
    again = answer.status in _TRY_AGAIN or answer.status >= 500
    said = f"{said}: {answer.text}" if answer.text.isprintable() and answer.text else said
    raise DeliveryFailed(said, permanent=not again, retry_after=retry_after(answer.retry_after, now) if again else None)


def retry_after(value: str, now: float) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for (RFC 9110, 10.2.3): a number, or a date less now.

    None where it says neither.
    """
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError):
        return None


class _Bounded(BytesIO):
    """Takes up to ``limit`` bytes and refuses more, which makes libcurl end the transfer."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit
        self.full = False

    def write(self, data: bytes) -> int:  # type: ignore[override]  # libcurl hands over bytes only
        taken = super().write(data[: self._limit - self.tell()])
        self.full = taken < len(data)
        return taken


def _set_up(curl: pycurl.Curl, request: Request) -> None:
    timeout = max(1, round(request.timeout * 1000))
    curl.setopt(pycurl.URL, request.url)
    curl.setopt(pycurl.POSTFIELDS, request.body)
    curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}".encode() for name, value in request.headers.items()])
    curl.setopt(pycurl.USERAGENT, f"NightOwl/{__version__}")
    curl.setopt(pycurl.TIMEOUT_MS, timeout)
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, timeout)
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.SSL_VERIFYPEER, 1 if request.verify else 0)
    curl.setopt(pycurl.SSL_VERIFYHOST, 2 if request.verify else 0)
    if request.ca:
        curl.setopt(pycurl.CAINFO_BLOB, request.ca.encode())
    elif (bundle := ssl.get_default_verify_paths().cafile) and Path(bundle).is_file():
        curl.setopt(pycurl.CAINFO, bundle)


def _failure(code: int, timeout: float) -> DeliveryFailed:
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return DeliveryFailed(f"no answer within {timeout:g} s")
    return DeliveryFailed(meaning(code), permanent=code == pycurl.E_URL_MALFORMAT)


def _header(raw: bytes, name: str) -> str:
    """Return the value of a header, the last one where several came."""
    for line in reversed(raw.decode("latin-1").splitlines()):
        found, _, value = line.partition(":")
        if found.strip().lower() == name:
            return value.strip()
    return ""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
