"""From libcurl's endings to reason classes, as a table."""

from errno import ECONNREFUSED, ECONNRESET, EHOSTUNREACH, EMFILE, ENETUNREACH, ETIMEDOUT

import pycurl
import pytest

from nightowl.adapters.probes.failure import state_of
from nightowl.adapters.probes.reasons import Ending, explain, explain_socket
from nightowl.core.values import State

LOOKED_UP = {"lookup": 0.1}
CONNECTED = {"lookup": 0.1, "connect": 0.2}
SECURE = {"lookup": 0.1, "connect": 0.2, "tls": 0.3, "https": True}

TABLE = [
    ("dns.timeout", 28, {}),
    ("connect.timeout", 28, LOOKED_UP),
    ("tls.timeout", 28, {**CONNECTED, "https": True}),
    ("http.timeout_headers", 28, CONNECTED),
    ("http.timeout_headers", 28, SECURE),
    ("http.timeout_body", 28, {**SECURE, "answered": True}),
    ("connect.refused", 7, {"os_error": ECONNREFUSED}),
    ("connect.timeout", 7, {"os_error": ETIMEDOUT}),
    ("connect.reset", 7, {"os_error": ECONNRESET}),
    ("connect.unreachable", 7, {"os_error": EHOSTUNREACH}),
    ("connect.unreachable", 7, {"os_error": ENETUNREACH}),
    ("tls.expired", 60, {"verify": 10}),
    ("tls.not_yet_valid", 60, {"verify": 9}),
    ("tls.untrusted", 60, {"verify": 18}),
    ("tls.untrusted", 60, {"verify": 20}),
    ("tls.hostname", 60, {"verify": 0}),
    ("tls.version", 35, {"message": "TLS alert, tlsv1 alert protocol version"}),
    ("tls.version", 35, {"message": "error:0A000102:SSL routines::unsupported protocol"}),
    ("tls.client_cert", 35, {"message": "tlsv13 alert certificate required"}),
    ("tls.client_cert", 56, {"message": "OpenSSL SSL_read: tlsv13 alert certificate required, errno 0"}),
    ("tls.handshake", 35, {"message": "error:0A00010B:SSL routines::wrong version number"}),
    ("tls.reset", 35, {"message": "Recv failure: Connection reset by peer"}),
    ("tls.reset", 35, {"message": "OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to x:443"}),
    ("http.empty", 52, CONNECTED),
    ("http.reset", 56, {"os_error": ECONNRESET}),
    ("http.reset", 55, {"message": "Send failure: Broken pipe"}),
    ("http.truncated", 18, {}),
    ("http.truncated", 56, {"message": "OpenSSL SSL_read: unexpected eof while reading", "answered": True}),
    ("http.malformed", 8, {}),
    ("http.malformed", 1, {"message": "Received HTTP/0.9 when not allowed"}),
    ("http.malformed", 1, {"message": "Unsupported response code in HTTP response"}),
    ("http.malformed", 56, {"message": "chunk hex-length char not a hex digit"}),
    ("http.http2", 16, {}),
    ("http.http2", 92, {}),
    ("limit.headers", 100, {}),
    ("policy.scheme", 1, {"message": "Protocol file disabled"}),
    ("own.target", pycurl.E_URL_MALFORMAT, {}),
    ("own.fault", pycurl.E_OUT_OF_MEMORY, {}),
    ("own.fault", 9999, {}),
]


@pytest.mark.parametrize(("reason", "code", "known"), TABLE)
def test_an_ending_has_a_reason(reason, code, known):
    failure = explain(Ending(code=code, **known))

    assert failure.reason == reason
    assert failure.detail


def test_running_out_of_descriptors_is_our_own_fault():
    failure = explain_socket(OSError(EMFILE, "Too many open files"))

    assert state_of(failure.reason) is State.UNKNOWN
