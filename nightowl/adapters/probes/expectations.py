"""Whether an answer is what a check expects, and whether it is good enough. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import jsonpath_rfc9535
import msgspec
import regex

from nightowl.adapters.probes.failure import TARGET, Failure
from nightowl.core.values import Certificate, Expect, Warn

REGEX_SECONDS = 0.1
"""How long one search of a pattern may take; meanwhile other threads run."""
MAX_DEPTH = 100
"""How deep a JSON document may be nested."""

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


def judge_headers(expect: Expect, headers: Mapping[str, str]) -> None:
    """Raise ``assert.header`` unless each header is there and contains its text."""
    for name, wanted in expect.header.items():
        found = headers.get(name)
        if found is None:
            raise Failure("assert.header", f"the header {name} is missing")
        if wanted not in found:
            raise Failure("assert.header", f"the header {name} does not contain {wanted[:100]!r}")


def judge_body(expect: Expect, text: Text) -> None:
    """Raise ``assert.body``, ``assert.json`` or ``decode.json`` unless the body is what is expected."""
    if expect.body and expect.body not in text():
        raise Failure("assert.body", f"the body does not contain {expect.body[:100]!r}")
    if expect.not_body and expect.not_body in text():
        raise Failure("assert.body", f"the body contains {expect.not_body[:100]!r}")
    if expect.regex:
        _judge_pattern(expect.regex, text())
    if expect.json:
        document = _document(text())
        for path, wanted in expect.json.items():
            _judge_path(path, wanted, document)


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


def _judge_pattern(pattern: str, text: str) -> None:
    try:
        found = _pattern(pattern).search(text, concurrent=True, timeout=REGEX_SECONDS)
    except TimeoutError:
        raise Failure("assert.body", f"the pattern {pattern[:100]!r} took longer than {REGEX_SECONDS:g} s") from None
    except regex.error as error:
        raise Failure(TARGET, f"the pattern {pattern[:100]!r} is not a regular expression: {error}") from None
    if not found:
        raise Failure("assert.body", f"the body does not match {pattern[:100]!r}")


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> Any:
    return regex.compile(pattern)


def _document(text: str) -> Any:
    try:
        document = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Failure("decode.json", f"the body is not JSON: {error}") from None
    except RecursionError:
        document = None
        too_deep = True
    else:
        too_deep = _deeper_than(document, MAX_DEPTH)
    if too_deep:
        raise Failure("decode.json", f"the JSON document is nested deeper than {MAX_DEPTH} levels")
    return document


def _deeper_than(document: Any, limit: int) -> bool:
    level = [document]
    for _ in range(limit):
        below: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                below.extend(node.values())
            elif isinstance(node, list):
                below.extend(node)
        if not below:
            return False
        level = below
    return True


@lru_cache(maxsize=1024)
def _path(path: str) -> jsonpath_rfc9535.JSONPathQuery:
    return jsonpath_rfc9535.compile(path)


def _judge_path(path: str, wanted: Any, document: Any) -> None:
    try:
        values = _path(path).find(document).values()
    except jsonpath_rfc9535.JSONPathError as error:
        raise Failure(TARGET, f"{path[:100]!r} is not a JSONPath: {error}") from None
    if not values:
        raise Failure("assert.json", f"nothing is at {path}")
    for value in values:
        if not _same(value, wanted):
            raise Failure("assert.json", f"{path} is {_shown(value)}, expected {_shown(wanted)}")


def _same(value: Any, wanted: Any) -> bool:
    """Equality of JSON values: true is not 1."""
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:100]
