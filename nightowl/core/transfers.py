"""What a transfer by libcurl that failed means, in words that repeat nothing of the URL."""

from __future__ import annotations

FAULTS = {
    1: "the answer is not HTTP",
    3: "the URL is malformed",
    5: "the proxy's name cannot be resolved",
    6: "the host's name cannot be resolved",
    7: "the host does not accept the connection",
    8: "the answer is not HTTP",
    16: "the answer is not HTTP/2",
    18: "the answer was cut short",
    35: "the TLS handshake failed",
    52: "the host closed the connection without an answer",
    55: "the connection was reset",
    56: "the connection was reset",
    60: "the host's certificate is not trusted",
    77: "the CA certificates cannot be read",
}
"""By libcurl's number of the error (https://curl.se/libcurl/c/libcurl-errors.html)."""


def meaning(code: int) -> str:
    """Return what an error means."""
    return FAULTS.get(code, f"libcurl error {code}")
