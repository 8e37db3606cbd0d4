"""What all attempts at one http or https target have in common: prepared once, used for each."""

from __future__ import annotations

import os
import ssl
from base64 import b64encode
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import pycurl

from nightowl import __version__
from nightowl.adapters.probes import expectations
from nightowl.adapters.probes.body import EXCERPT_SOURCE, MAX_BODY
from nightowl.adapters.probes.failure import TARGET, Failure
from nightowl.adapters.probes.names import encoded
from nightowl.adapters.probes.redaction import redactor
from nightowl.adapters.probes.redirects import Request
from nightowl.core.values import Target

Option = tuple[int, Any]

_QUICK_EXIT = 322  # CURLOPT_QUICK_EXIT, which pycurl does not name: do not join a stalled resolver thread
_EITHER = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS
_ALWAYS: tuple[Option, ...] = (
    (pycurl.NOSIGNAL, 1),
    (pycurl.PROTOCOLS, _EITHER),
    (pycurl.REDIR_PROTOCOLS, _EITHER),
    (pycurl.PROXY, ""),
    (pycurl.FRESH_CONNECT, 1),
    (pycurl.FORBID_REUSE, 1),
    (pycurl.DNS_CACHE_TIMEOUT, 1),  # 0 would forget the addresses that are given with RESOLVE
    (pycurl.PATH_AS_IS, 1),
    (_QUICK_EXIT, 1),
)
_FAMILIES = {"4": pycurl.IPRESOLVE_V4, "6": pycurl.IPRESOLVE_V6}
_VERSIONS = {
    "1.0": pycurl.CURL_HTTP_VERSION_1_0,
    "1.1": pycurl.CURL_HTTP_VERSION_1_1,
    "2": pycurl.CURL_HTTP_VERSION_2TLS,
    "h2c": pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
}
_CURVES = "X25519:P-256:P-384:P-521"
"""Key exchanges that every server takes one of; the post-quantum one of OpenSSL costs a tenth of each handshake."""
_TRUST_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class Plan:
    """A target made ready: its first request, libcurl's options, and how its answers are read.

    Raises:
        Failure: where the target cannot be tried as it is written.
    """

    __slots__ = ("constants", "first", "keep", "mask", "options", "target")

    def __init__(self, target: Target) -> None:
        self.target = target
        self.first = first_request(target)
        self.constants = constants(target)
        self.options = request_options(target, self.first)
        self.keep = MAX_BODY if expectations.reads_body(target.expect) else EXCERPT_SOURCE
        self.mask = redactor(target)


def first_request(target: Target) -> Request:
    """The request of the first hop, its credentials as a header.

    Raises:
        Failure: ``own.target`` where the URL has no host, or a header would break out of its line;
            ``dns.malformed`` where its host is no host name.
    """
    try:
        parts = urlsplit(target.url)
        port = parts.port
    except ValueError:  # whose text may quote a part of a password
        raise Failure(TARGET, "the URL cannot be read: its host or its port is malformed") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Failure(TARGET, "the URL needs a scheme http or https and a host")
    headers = dict(target.headers)
    basic = target.basic or (f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else "")
    if basic:
        headers["Authorization"] = f"Basic {b64encode(basic.encode()).decode()}"
    elif target.bearer:
        headers["Authorization"] = f"Bearer {target.bearer}"
    if any("\n" in text or "\r" in text or "\0" in text for pair in headers.items() for text in pair):
        raise Failure(TARGET, "a header contains a line break")
    netloc = _host(parts.hostname) + (f":{port}" if port else "")
    url = urlunsplit((parts.scheme, netloc, parts.path or "/", parts.query, "")).replace(" ", "%20")
    return Request(url, target.method.upper(), tuple(headers.items()), target.body.encode(), identified=True)


def constants(target: Target) -> tuple[Option, ...]:
    """The options that hold for every hop of every attempt at a target."""
    options = [*_ALWAYS, (pycurl.USERAGENT, (target.user_agent or f"NightOwl/{__version__}").encode())]
    if target.family in _FAMILIES:
        options.append((pycurl.IPRESOLVE, _FAMILIES[target.family]))
    if target.http_version:
        options.append((pycurl.HTTP_VERSION, _VERSIONS[target.http_version]))
    return tuple(options)


def request_options(target: Target, request: Request) -> tuple[Option, ...]:
    """The options of one hop."""
    options: list[Option] = [(pycurl.URL, request.url.encode())]
    lines = [f"{name}: {value}" if value else f"{name};" for name, value in request.headers]
    if request.method == "HEAD":
        options.append((pycurl.NOBODY, 1))
    elif request.body or request.method in ("POST", "PUT", "PATCH"):
        options += [(pycurl.POSTFIELDS, request.body), (pycurl.CUSTOMREQUEST, request.method)]
        lines.append("Expect:")
        if not any(name.lower() == "content-type" for name, _ in request.headers):
            lines.append("Content-Type:")  # libcurl would call it a form
    elif request.method != "GET":
        options.append((pycurl.CUSTOMREQUEST, request.method))
    if lines:
        options.append((pycurl.HTTPHEADER, [line.encode() for line in lines]))
    if request.url.startswith("https:"):
        options += _tls(target, identified=request.identified)
    return tuple(options)


def _tls(target: Target, *, identified: bool) -> list[Option]:
    options: list[Option] = [
        (pycurl.OPT_CERTINFO, 1),
        (pycurl.SSL_SESSIONID_CACHE, 0),
        (pycurl.SSL_EC_CURVES, _CURVES),
    ]
    if not target.verify:
        options += [(pycurl.SSL_VERIFYPEER, 0), (pycurl.SSL_VERIFYHOST, 0)]
    elif target.ca:
        options.append((pycurl.CAINFO_BLOB, target.ca.encode()))
    elif trust_file():
        options.append((pycurl.CAINFO, trust_file()))
    if identified and target.client_certificate:
        options += [
            (pycurl.SSLCERT_BLOB, target.client_certificate.encode()),
            (pycurl.SSLKEY_BLOB, (target.client_key or target.client_certificate).encode()),
        ]
    return options


@cache
def trust_file() -> str:
    """The file of trusted authorities on this machine (empty: libcurl's own default).

    The wheel's OpenSSL does not know where the distribution keeps it.
    """
    default = ssl.get_default_verify_paths()
    candidates = (os.environ.get("SSL_CERT_FILE"), *_TRUST_FILES, default.cafile)
    return next((path for path in candidates if path and os.path.isfile(path)), "")  # noqa: PTH113  a str is what libcurl takes


def _host(name: str) -> str:
    host = encoded(name)
    return f"[{host}]" if ":" in host else host
