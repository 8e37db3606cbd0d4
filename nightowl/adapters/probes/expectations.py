"""Whether an answer is what a check expects, and whether it is good enough. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec
import regex

from nightowl.adapters.probes.failure import TARGET, Failure
from nightowl.adapters.probes.jsonpath import Document
from nightowl.adapters.probes.redaction import QUOTED, Mask, quoted
from nightowl.core.patterns import bounded
from nightowl.core.values import Certificate, Expect, Warn

REGEX_SECONDS = 0.1
"""How long one search of a pattern may take; meanwhile other threads run."""

Text = Callable[[], str]
"""Gives the body's text; decoding is paid for only where somebody asks."""


class Headers(Mapping[str, str]):
    """The headers of an answer: names in any case, the values of a repeated one joined by a comma."""

    def __init__(self, lines: list[bytes]) -> None:
        self._values: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.decode("latin-1").partition(":")
            if colon:
                key = name.strip().lower()
                known = self._values.get(key)
                self._values[key] = value.strip() if known is None else f"{known}, {value.strip()}"

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def judge_status(expect: Expect, status: int) -> None:
    """Raise ``http.status`` for an error status that was not expected, ``assert.status`` for any other."""
    if any(low <= status <= high for low, high in expect.status):
        return
    wanted = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in expect.status)
    raise Failure("http.status" if status >= 400 else "assert.status", f"status {status}, expected {wanted}")


def judge_headers(expect: Expect, headers: Mapping[str, str], mask: Mask = str) -> None:
    """Raise ``assert.header`` unless each header is there and contains its text; ``mask`` hides secrets in it."""
    for name, wanted in expect.header.items():
        found = headers.get(name)
        if found is None:
            raise Failure("assert.header", f"the header {name} is missing")
        if wanted not in found:
            raise Failure("assert.header", f"the header {name} does not contain {quoted(wanted, mask)}")


def judge_body(expect: Expect, text: Text, mask: Mask = str) -> None:
    """Raise ``assert.body``, ``assert.json`` or ``decode.json`` unless the body is what is expected.

    ``mask`` hides secrets in what is quoted of the expectation and of the body.
    """
    if expect.body and expect.body not in text():
        raise Failure("assert.body", f"the body does not contain {quoted(expect.body, mask)}")
    if expect.not_body and expect.not_body in text():
        raise Failure("assert.body", f"the body contains {quoted(expect.not_body, mask)}")
    if expect.regex:
        _judge_pattern(expect.regex, text(), mask)
    if expect.json:
        document = Document(text())
        for path, wanted in expect.json.items():
            _judge_path(path, wanted, document, mask)


def reads_body(expect: Expect) -> bool:
    """Whether judging needs the whole body."""
    return bool(expect.body or expect.not_body or expect.regex or expect.json)


def shortcomings(warn: Warn, duration: float, certificate: Certificate | None, now: float) -> tuple[str, str]:
    """Reason and detail of what makes a good answer merely degraded (empty: nothing does); ``now`` in Unix seconds."""
    if warn.certificate is not None and certificate is not None:
        left = certificate.not_after - now
        if left < warn.certificate:
            return "assert.tls_expiry", f"the certificate expires in {left / 86400:.1f} days"
    if warn.duration is not None and duration > warn.duration:
        return "assert.latency", f"slower than {warn.duration:g} s: it took {duration:.3f} s"
    return "", ""


def _judge_pattern(pattern: str, text: str, mask: Mask) -> None:
    try:
        found = _pattern(pattern).search(text, concurrent=True, timeout=REGEX_SECONDS)
    except TimeoutError:
        raise Failure(
            "assert.body", f"the pattern {quoted(pattern, mask)} took longer than {REGEX_SECONDS:g} s"
        ) from None
    except ValueError as error:
        raise Failure(TARGET, f"the pattern {quoted(pattern, mask)} is not {error}") from None
    except regex.error as error:
        raise Failure(TARGET, f"the pattern {quoted(pattern, mask)} is not a regular expression: {error}") from None
    if not found:
        raise Failure("assert.body", f"the body does not match {quoted(pattern, mask)}")


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> Any:
    return regex.compile(bounded(pattern))


def _judge_path(path: str, wanted: Any, document: Document, mask: Mask) -> None:
    found = False
    for value in document.at(path):
        found = True
        if not _same(value, wanted):
            raise Failure("assert.json", f"{path} is {_shown(value, mask)}, expected {_shown(wanted, mask)}")
    if not found:
        raise Failure("assert.json", f"nothing is at {path}")


def _same(value: Any, wanted: Any) -> bool:
    """Equality of JSON values: true is not 1."""
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


def _shown(value: Any, mask: Mask) -> str:
    return mask(msgspec.json.encode(value).decode())[:QUOTED]
