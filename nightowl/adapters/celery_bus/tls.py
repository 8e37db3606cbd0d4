"""TLS to a broker: what kombu is told, which files cannot be used, and what a failed handshake means."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from nightowl.core.errors import ConfigurationError, Mistake

Files = Mapping[str, str]
"""Paths of PEM files by their keys in ``[bus]``: ``ca``, ``certificate``, ``key`` (empty: none)."""

_NAMED_OTHERWISE = (62, 64)
"""OpenSSL's ``X509_V_ERR_HOSTNAME_MISMATCH`` and ``X509_V_ERR_IP_ADDRESS_MISMATCH``."""

_UNTRUSTED = (2, 18, 19, 20, 21)
"""OpenSSL's codes for a chain that ends with no authority that is trusted."""

_CLOSED = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionResetError, BrokenPipeError)


def amqp_options(url: str, files: Files) -> dict[str, Any]:
    """Return what py-amqp takes. It would verify ``localhost`` as 127.0.0.1, so the name is given."""
    return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": urlsplit(url).hostname} | _paths(files, "")


def redis_options(files: Files) -> dict[str, Any]:
    """Return what redis-py takes."""
    return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True} | _paths(files, "ssl_")


def _paths(files: Files, prefix: str) -> dict[str, str]:
    names = {"ca": "ca_certs", "certificate": "certfile", "key": "keyfile"}
    return {f"{prefix}{names[key]}": path for key, path in files.items() if path}


def prove(files: Files) -> None:
    """Read the files as a connection will. Raises ``ConfigurationError`` for what cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if files["ca"]:
        with _telling("ca", files, "a file of CA certificates (PEM)"):
            context.load_verify_locations(files["ca"])
    if files["certificate"]:
        allowed = "a client certificate (PEM); its private key, not encrypted, in bus.key or in the same file"
        with _telling("certificate", files, allowed):
            context.load_cert_chain(files["certificate"], files["key"] or None, password=str)


@contextmanager
def _telling(key: str, files: Files, allowed: str) -> Iterator[None]:
    """Turn what OpenSSL says of a file into a mistake of its key."""
    try:
        yield
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or "not usable"
        found = f'"{files[key]}" ({reason.replace("_", " ").lower()})'
        raise ConfigurationError([Mistake(file="", key=f"bus.{key}", found=found, allowed=allowed)]) from None


def meaning(error: BaseException, files: Files) -> str:
    """Return what a failed handshake means and which key to look at; empty for an error that is none of TLS."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _distrust(cause, files)
        if isinstance(cause, ssl.SSLError) and cause.reason:
            return _alert(cause.reason, files)
    return f"it closed the connection; {_refusal(files)}" if any(isinstance(each, _CLOSED) for each in causes) else ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _distrust(error: ssl.SSLCertVerificationError, files: Files) -> str:
    if error.verify_code in _NAMED_OTHERWISE:
        return f"its certificate is for another host name: {_said(error)}; look at the host in the broker's URL"
    if error.verify_code in _UNTRUSTED:
        known = f"an authority in {files['ca']}" if files["ca"] else "one of the system's authorities"
        return f"its certificate is not signed by {known}: {_said(error)}; look at bus.ca (--ca)"
    return f"its certificate is not valid: {_said(error)}"


def _said(error: ssl.SSLCertVerificationError) -> str:
    return error.verify_message.rstrip(".")


def _alert(reason: str, files: Files) -> str:
    if reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"):
        return "it does not speak TLS at this port; look at the broker's URL"
    if "ALERT" in reason:
        return f"it ended the handshake ({reason.partition('ALERT_')[2].replace('_', ' ').lower()}); {_refusal(files)}"
    return ""


def _refusal(files: Files) -> str:
    if files["certificate"]:
        return f"it may not take the client certificate {files['certificate']}: look at bus.certificate (--certificate)"
    return "it may ask for a client certificate: bus.certificate (--certificate) is not set"
