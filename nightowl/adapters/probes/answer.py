"""What a server answered to one request, taken in within bounds and then judged."""

from __future__ import annotations

import re
from time import monotonic

from nightowl.adapters.probes import expectations
from nightowl.adapters.probes.body import MAX_BODY, MAX_HEADERS, decode, decompress, excerpt
from nightowl.adapters.probes.expectations import Headers
from nightowl.adapters.probes.failure import Failure
from nightowl.adapters.probes.redaction import Mask
from nightowl.core.values import Expect

_END_OF_HEADERS = (b"\r\n", b"\n")
_INTERIM = re.compile(rb"HTTP/[\d.]+ 1\d\d\b")
_NO_LENGTH = re.compile(rb"content-length:\s*\d{19}", re.IGNORECASE)
_LIGHT = 16 << 10
_PIECES = 16 << 10
"""Pieces that a body may come in: each costs a call, and a megabyte of one-byte chunks would hold up all others."""


class Answer:
    """The answer of one hop. ``header`` and ``body`` are libcurl's callbacks; 0 makes it end the transfer.

    ``complete``: the headers have ended. ``interim``: the moment (monotonic) at which the final answer began, where
    interim ones (1xx) came before it. ``failure``: the bound that was broken.
    """

    __slots__ = (
        "_chunks", "_encoded", "_keep", "_lines", "_pieces", "_size_of_headers",
        "complete", "failure", "interim", "size",
    )  # fmt: skip

    def __init__(self, keep: int) -> None:
        """``keep`` bytes of the body are kept, or all of it where it is compressed."""
        self._keep = keep
        self._lines: list[bytes] = []
        self._chunks: list[bytes] = []
        self._size_of_headers = 0
        self._encoded = False
        """Whether the body is compressed, so that all of it is needed to know that it is whole."""
        self._pieces = 0
        self.size = 0
        self.complete = False
        self.interim = 0.0
        self.failure: Failure | None = None

    def header(self, line: bytes) -> int | None:
        """Take in a line of the headers."""
        self._size_of_headers += len(line)
        if self._size_of_headers > MAX_HEADERS:
            self.failure = Failure("limit.headers", "the headers are larger than 64 KiB")
            return 0
        if self.complete:
            if not _INTERIM.match(self._lines[0]):
                return None  # a trailer, which says nothing of how the body is to be read
            self.interim = monotonic()
            self._lines.clear()
            self._encoded = False
        if _NO_LENGTH.match(line):  # libcurl would take whatever comes for the whole body
            self.failure = Failure("http.malformed", "the Content-Length is no possible length")
            return 0
        self._lines.append(line)
        self.complete = line in _END_OF_HEADERS
        self._encoded |= line[:17].lower() == b"content-encoding:"
        return None

    def body(self, chunk: bytes) -> int | None:
        """Take in a part of the body."""
        if self.size < self._keep or self._encoded:
            self._chunks.append(chunk)
        self.size += len(chunk)
        self._pieces += 1
        if self._pieces > _PIECES:
            self.failure = Failure("limit.body", f"the body comes in more than {_PIECES:,} pieces")
            return 0
        if self.size > MAX_BODY:
            self.failure = Failure("limit.body", "the body is larger than 1 MiB")
            return 0
        return None

    def excerpt(self, mask: Mask, most: int) -> str:
        """The start of the body as text of at most so many characters, masked."""
        return excerpt(b"".join(self._chunks), mask, most) if self._chunks else ""

    def heavy(self, expect: Expect) -> bool:
        """Whether judging may take long enough to hold others up."""
        if expect.regex or expect.json or self._encoded:
            return True
        return self.size > _LIGHT and self._keep == MAX_BODY

    def judge(self, expect: Expect, status: int, mask: Mask) -> None:
        """Raise the failure of the first expectation that the answer breaks; the body must be whole in any case.

        ``mask`` hides secrets in what the failure quotes.
        """
        if not (expect.header or self._keep == MAX_BODY or self._encoded):
            expectations.judge_status(expect, status)
            return
        headers = Headers(self._lines)
        data = decompress(b"".join(self._chunks), headers.get("content-encoding", ""))
        self._chunks = [data]
        expectations.judge_status(expect, status)
        expectations.judge_headers(expect, headers, mask)
        expectations.judge_body(expect, lambda: decode(data, headers.get("content-type", ""), mask), mask)
