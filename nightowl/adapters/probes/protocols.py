"""The TLS version that a peer agreed to.

libcurl tells it only in its trace, which costs a seventh of a handshake. So it is read from one attempt every ten
minutes for each origin, and stands for the others.
"""

from __future__ import annotations

from functools import partial
from time import monotonic

import pycurl

Origin = tuple[str, str, int]

_AGAIN = 600.0
_KEPT = 4096
_TEXT = 0  # CURLINFO_TEXT
_LINE = b"SSL connection using "


class Protocols:
    """TLS versions by origin, as last seen."""

    def __init__(self) -> None:
        self._seen: dict[Origin, tuple[str, float]] = {}

    def of(self, origin: Origin) -> str:
        """The version that was last seen, such as ``TLSv1.3`` (empty: none yet)."""
        return self._seen.get(origin, ("", 0.0))[0]

    def watch(self, curl: pycurl.Curl, origin: Origin) -> None:
        """Have a transfer traced where it is time to look again."""
        _, until = self._seen.get(origin, ("", 0.0))
        if until <= monotonic():
            curl.setopt(pycurl.VERBOSE, 1)
            curl.setopt(pycurl.DEBUGFUNCTION, partial(self._read, origin))

    def _read(self, origin: Origin, kind: int, text: bytes) -> None:
        if kind == _TEXT and text.startswith(_LINE):
            if len(self._seen) >= _KEPT:
                self._seen.clear()
            self._seen[origin] = (text[len(_LINE) :].split()[0].decode(), monotonic() + _AGAIN)
