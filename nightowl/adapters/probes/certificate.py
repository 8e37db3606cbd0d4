"""The certificate report of an attempt, from what libcurl tells of a peer's chain."""

from __future__ import annotations

import ssl
from functools import lru_cache

from nightowl.core.values import Certificate

Chain = tuple[tuple[tuple[str, str], ...], ...]
"""libcurl's CERTINFO: for each certificate, leaf first, its fields as OpenSSL prints them."""


@lru_cache(maxsize=1024)
def report(chain: Chain, protocol: str, problem: str = "") -> Certificate | None:
    """The report on a chain (None: no certificate was shown); ``problem`` says why it was refused."""
    if not chain:
        return None
    leaf = dict(chain[0])
    return Certificate(
        subject=leaf.get("Subject", ""),
        issuer=leaf.get("Issuer", ""),
        not_before=_moment(leaf.get("Start date", "")),
        not_after=_moment(leaf.get("Expire date", "")),
        names=_names(leaf.get("X509v3 Subject Alternative Name", "")),
        chain=tuple(dict(fields).get("Subject", "") for fields in chain),
        protocol=protocol,
        problem=problem,
    )


def _moment(text: str) -> float:
    """Unix seconds of OpenSSL's ``Jan  1 00:00:00 2030 GMT`` (0: unreadable)."""
    try:
        return float(ssl.cert_time_to_seconds(text))
    except ValueError:
        return 0.0


def _names(alternative: str) -> tuple[str, ...]:
    """The names of a subjectAltName: ``DNS:localhost, IP Address:127.0.0.1``."""
    entries = (entry.strip() for entry in alternative.split(","))
    return tuple(
        value for kind, _, value in (entry.partition(":") for entry in entries) if kind in ("DNS", "IP Address")
    )
