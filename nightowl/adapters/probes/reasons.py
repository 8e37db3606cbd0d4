"""Why a libcurl transfer failed: from its error number and what is known beside it, to a reason class.

libcurl's numbers alone do not tell causes apart (28 covers five phases, 56 a reset and a broken chunk), so the
decision also reads how far the transfer came, the OS error, the certificate's verify result and the message.
Everything here is pure; the classes are those of ``docs/reasons.md``.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from errno import (
    ECONNABORTED,
    ECONNREFUSED,
    ECONNRESET,
    EHOSTUNREACH,
    EMFILE,
    ENETUNREACH,
    ENFILE,
    ENOTCONN,
    EPIPE,
    ETIMEDOUT,
)

import msgspec
import pycurl

from nightowl.adapters.probes.failure import FAULT, TARGET, Failure


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a transfer ended badly.

    ``code`` and ``message`` are libcurl's, ``os_error`` the last errno, ``verify`` OpenSSL's verify result. The times
    are libcurl's, in seconds from the start; 0: never came so far. ``answered`` says whether a status line came.
    """

    code: int
    message: str = ""
    os_error: int = 0
    verify: int = 0
    https: bool = False
    lookup: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    answered: bool = False


def explain(ending: Ending) -> Failure:
    """The failure that a transfer's ending amounts to."""
    decide = _BY_CODE.get(ending.code)
    if decide is None:
        return Failure(FAULT, f"libcurl error {ending.code}: {ending.message}")
    reason = decide if isinstance(decide, str) else decide(ending)
    return Failure(reason, _SENTENCES.get(reason) or _plain(ending.message) or reason)


def explain_socket(error: OSError) -> Failure:
    """The failure that an operating system error of a connecting or connected socket amounts to."""
    if error.errno in (EMFILE, ENFILE):
        return Failure("own.files", "no file descriptor was free for a connection")
    reason = _BY_ERRNO.get(error.errno or 0, "connect.unreachable")
    return Failure(reason, _SENTENCES.get(reason) or str(error))


def explain_tls(error: OSError) -> Failure:
    """The failure that an error of a TLS handshake, or of TLS after it, amounts to."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = _BY_VERIFY.get(error.verify_code, "tls.untrusted")
        what = "not for this host" if reason == "tls.hostname" else "not trusted"
        return Failure(reason, _SENTENCES.get(reason) or f"the TLS certificate is {what}: {error.verify_message}")
    if not isinstance(error, ssl.SSLError) or isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Failure("tls.reset", _SENTENCES["tls.reset"])
    said = (error.reason or "").lower().replace("_", " ")
    reason = next((reason for words, reason in _TLS_WORDS if words in said), "tls.handshake")
    return Failure(reason, _SENTENCES.get(reason) or f"the TLS handshake failed: {said or 'no reason was given'}")


def _plain(message: str) -> str:
    """Return libcurl's message without its preamble about OpenSSL."""
    verified = message.removeprefix("SSL certificate OpenSSL verify result: ")
    return f"the TLS certificate is not trusted: {verified}" if verified != message else message


def _timeout(ending: Ending) -> str:
    if not ending.lookup:
        return "dns.timeout"
    if not ending.connect:
        return "connect.timeout"
    if ending.https and not ending.tls:
        return "tls.timeout"
    return "http.timeout_body" if ending.answered else "http.timeout_headers"


def _connect(ending: Ending) -> str:
    return _BY_ERRNO.get(ending.os_error, "connect.unreachable")


def _handshake(ending: Ending) -> str:
    message = ending.message.lower()
    for words, reason in _TLS_WORDS:
        if words in message:
            return reason
    return "tls.reset" if ending.os_error in _RESETS else "tls.handshake"


def _verification(ending: Ending) -> str:
    return _BY_VERIFY.get(ending.verify, "tls.untrusted")


def _receiving(ending: Ending) -> str:
    message = ending.message.lower()
    if "certificate required" in message or "bad certificate" in message:
        return "tls.client_cert"  # TLS 1.3 servers refuse the client's certificate after the handshake
    if ending.os_error in _RESETS or "reset" in message:
        return "http.reset"
    if "unexpected eof" in message:
        return "http.truncated" if ending.answered else "http.empty"
    return "http.malformed"


def _sending(ending: Ending) -> str:
    return "tls.client_cert" if "certificate required" in ending.message.lower() else "http.reset"


def _unsupported(ending: Ending) -> str:
    return "policy.scheme" if ending.message.startswith("Protocol ") else "http.malformed"


_RESETS = frozenset((ECONNRESET, ECONNABORTED, EPIPE))

_BY_ERRNO = {
    ECONNREFUSED: "connect.refused",
    ETIMEDOUT: "connect.timeout",
    ECONNRESET: "connect.reset",
    ECONNABORTED: "connect.reset",
    EPIPE: "connect.reset",
    ENOTCONN: "connect.reset",
    EHOSTUNREACH: "connect.unreachable",
    ENETUNREACH: "connect.unreachable",
}

_BY_VERIFY = {
    0: "tls.hostname",
    1: "tls.hostname",
    9: "tls.not_yet_valid",
    10: "tls.expired",
    62: "tls.hostname",
    64: "tls.hostname",
}
"""OpenSSL's X509_V_ERR numbers; libcurl checks names itself, and then the result is 0 or 1 (unspecified)."""

_TLS_WORDS = (
    ("protocol version", "tls.version"),
    ("unsupported protocol", "tls.version"),
    ("no protocols available", "tls.version"),
    ("certificate required", "tls.client_cert"),
    ("bad certificate", "tls.client_cert"),
    ("unknown ca", "tls.client_cert"),
    ("reset by peer", "tls.reset"),
    ("unexpected eof", "tls.reset"),
    ("broken pipe", "tls.reset"),
    ("ssl_error_syscall", "tls.reset"),
)

_BY_CODE: dict[int, str | Callable[[Ending], str]] = {
    pycurl.E_UNSUPPORTED_PROTOCOL: _unsupported,
    pycurl.E_URL_MALFORMAT: TARGET,
    pycurl.E_COULDNT_RESOLVE_HOST: "dns.servfail",
    pycurl.E_COULDNT_CONNECT: _connect,
    pycurl.E_FTP_WEIRD_SERVER_REPLY: "http.malformed",
    pycurl.E_HTTP2: "http.http2",
    pycurl.E_PARTIAL_FILE: "http.truncated",
    pycurl.E_WRITE_ERROR: "http.malformed",
    pycurl.E_OPERATION_TIMEDOUT: _timeout,
    pycurl.E_SSL_CONNECT_ERROR: _handshake,
    pycurl.E_GOT_NOTHING: "http.empty",
    pycurl.E_SEND_ERROR: _sending,
    pycurl.E_RECV_ERROR: _receiving,
    pycurl.E_SSL_CERTPROBLEM: TARGET,
    pycurl.E_SSL_CIPHER: "tls.handshake",
    pycurl.E_PEER_FAILED_VERIFICATION: _verification,
    pycurl.E_SSL_CACERT_BADFILE: TARGET,
    pycurl.E_SSL_SHUTDOWN_FAILED: "tls.reset",
    92: "http.http2",  # CURLE_HTTP2_STREAM; pycurl does not name these two
    100: "limit.headers",  # CURLE_TOO_LARGE
}

_SENTENCES = {
    "dns.timeout": "the name was not resolved in time",
    "dns.servfail": "the name could not be resolved: the resolver gave no answer",
    "connect.refused": "the connection was refused: nothing listens on that port",
    "connect.timeout": "no connection within the time",
    "connect.reset": "the peer reset the connection",
    "connect.unreachable": "there is no route to the address",
    "tls.expired": "the TLS certificate has expired",
    "tls.not_yet_valid": "the TLS certificate is not valid yet",
    "tls.timeout": "the TLS handshake did not end in time",
    "tls.reset": "the connection was closed during the TLS handshake",
    "http.timeout_headers": "no answer within the time",
    "http.timeout_body": "the answer did not end in time",
    "http.empty": "the connection was closed without an answer",
    "http.truncated": "the answer ended before it was complete",
    "http.reset": "the connection was reset before the answer was complete",
    "limit.headers": "the headers are larger than 64 KiB",
}
