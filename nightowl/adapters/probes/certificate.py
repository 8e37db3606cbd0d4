"""The certificate report of an attempt: from what libcurl tells of a peer's chain, or from the handshake's message."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from functools import lru_cache

from cryptography import x509

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


@lru_cache(maxsize=1024)
def report_on(message: bytes, protocol: str, problem: str = "") -> Certificate | None:
    """The report on the ``Certificate`` message of a handshake (RFC 8446 and 5246; None: it shows none)."""
    try:
        chain = [x509.load_der_x509_certificate(each) for each in _shown(message, protocol)]
    except (ValueError, IndexError):
        return None
    if not chain:
        return None
    leaf = chain[0]
    return Certificate(
        subject=_subject(leaf.subject),
        issuer=_subject(leaf.issuer),
        not_before=leaf.not_valid_before_utc.timestamp(),
        not_after=leaf.not_valid_after_utc.timestamp(),
        names=_alternative_names(leaf),
        chain=tuple(_subject(each.subject) for each in chain),
        protocol=protocol,
        problem=problem,
    )


def _shown(message: bytes, protocol: str) -> Iterator[bytes]:
    """The certificates of a message, in DER: behind a header of four bytes, each behind its length in three.

    In TLS 1.3 a context comes first, and extensions follow each certificate.
    """
    newer = protocol == "TLSv1.3"
    at = 4 + (1 + message[4] if newer else 0) + 3
    while at < len(message):
        end = at + 3 + int.from_bytes(message[at : at + 3])
        yield message[at + 3 : end]
        at = end + (2 + int.from_bytes(message[end : end + 2]) if newer else 0)


def _subject(name: x509.Name) -> str:
    """A name as OpenSSL prints it on one line: ``C = FR, CN = shop.example``."""
    return ", ".join(
        " + ".join(f"{each.rfc4514_attribute_name} = {each.value!s}" for each in relative) for relative in name.rdns
    )


def _alternative_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return (*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress)))


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
