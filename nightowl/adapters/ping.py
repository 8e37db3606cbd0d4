"""Call a URL, to say that all is well."""

from __future__ import annotations

from io import BytesIO
from urllib.parse import urlsplit

import pycurl

from nightowl.core.errors import DeliveryFailed

TIMEOUT = 10
"""Seconds."""


def ping(url: str) -> None:
    """GET ``url``; raises ``DeliveryFailed``, which names the host alone: the rest of the URL is often a secret."""
    curl = pycurl.Curl()
    try:
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.TIMEOUT, TIMEOUT)
        curl.setopt(pycurl.WRITEDATA, BytesIO())
        curl.perform()
        status = curl.getinfo(pycurl.RESPONSE_CODE)
    except pycurl.error as error:
        raise DeliveryFailed(f"{urlsplit(url).hostname}: {error.args[1]}") from None
    finally:
        curl.close()
    if not 200 <= status < 300:
        raise DeliveryFailed(f"{urlsplit(url).hostname}: status {status}")
