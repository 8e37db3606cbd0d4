"""RabbitMQ's management API (https://www.rabbitmq.com/docs/management#http-api), as far as it is read."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import pycurl

from nightowl.core.errors import Unavailable
from nightowl.core.transfers import meaning

TIMEOUT = 5.0
"""Seconds for one request."""

LARGEST = 32 * 1024 * 1024
"""Bytes of an answer at most."""


class Management:
    """The API at a URL such as ``http://user:password@rabbit:15672/api/``; without a user, the broker's own."""

    def __init__(self, url: str, broker_url: str) -> None:
        parts = urlsplit(url)
        self._place = parts.netloc.rpartition("@")[2]
        path = parts.path.rstrip("/")
        path = path if path.endswith("/api") else f"{path}/api"
        self._root = urlunsplit((parts.scheme, self._place, path, "", ""))
        user = parts if parts.username else urlsplit(broker_url.split(";", maxsplit=1)[0])
        self._user = f"{unquote(user.username or 'guest')}:{unquote(user.password or 'guest')}"

    def get(self, path: str) -> Any:
        """Return what the API says at a path. Raises ``Unavailable``."""
        body = _Bounded()
        curl = pycurl.Curl()
        try:
            curl.setopt(pycurl.URL, f"{self._root}/{path}".encode())
            curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
            curl.setopt(pycurl.HTTPAUTH, pycurl.HTTPAUTH_BASIC)
            curl.setopt(pycurl.USERPWD, self._user.encode())
            curl.setopt(pycurl.TIMEOUT_MS, round(TIMEOUT * 1000))
            curl.setopt(pycurl.NOSIGNAL, 1)
            curl.setopt(pycurl.WRITEFUNCTION, body.write)
            curl.perform()
            status = curl.getinfo(pycurl.RESPONSE_CODE)
        except pycurl.error as error:
            raise self._unavailable(meaning(error.args[0])) from None
        finally:
            curl.close()
        if status != 200:
            raise self._unavailable(f"it says {status}")
        try:
            return json.loads(body.getvalue())
        except (ValueError, RecursionError):
            raise self._unavailable("it says something else than JSON") from None

    def _unavailable(self, why: str) -> Unavailable:
        return Unavailable(f"the management API of RabbitMQ at {self._place} does not answer: {why}")


class _Bounded(BytesIO):
    """Takes up to ``LARGEST`` bytes and refuses more, which makes libcurl end the transfer."""

    def write(self, data: bytes) -> int:  # type: ignore[override]  # libcurl hands over bytes only
        return 0 if self.tell() + len(data) > LARGEST else super().write(data)
