"""Prometheus, and what answers its HTTP API, such as VictoriaMetrics.

Series by metric are read as they were scraped: an instant query of a range selector gives the samples at their own
times, which ``query_range`` would not. An expression is evaluated at the instants at which its rule is.
https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import floor
from urllib.parse import urlencode

import msgspec

from nightowl.adapters.sources.fetching import Request
from nightowl.adapters.sources.http_source import Ask, HttpSource, Row, Unusable, address, groups
from nightowl.adapters.sources.placing import placed
from nightowl.core.reading import PLACE, Need, SourceSettings, Window, fill, fill_patterns
from nightowl.core.rule import STEP
from nightowl.core.shell_patterns import expression, is_pattern, quoted

LONGEST_URL = 2000
"""Characters of a URL up to which a request is a GET; a longer one is a POST of the same."""

MOST_POINTS = 10_000
"""Points of an expression that are asked for at once; Prometheus gives 11,000."""

_BARE = re.compile(r"[A-Za-z0-9_:]+")


class _Series(msgspec.Struct):
    metric: dict[str, str] = {}
    values: list[tuple[float, str]] = []


class _Data(msgspec.Struct, rename="camel"):
    result_type: str
    result: msgspec.Raw


class _Answer(msgspec.Struct, rename="camel"):
    status: str
    data: _Data | None = None
    error_type: str = ""
    error: str = ""


_answer = msgspec.json.Decoder(_Answer).decode
_matrix = msgspec.json.Decoder(list[_Series]).decode


def source(settings: SourceSettings) -> HttpSource:
    """Return the source of some settings."""
    return HttpSource(settings, _Prometheus(settings.url))


class _Prometheus:
    """See ``Language``."""

    def __init__(self, url: str) -> None:
        self._url = url

    def asks(self, need: Need, identifiers: Sequence[str]) -> Iterator[Ask]:
        """Ask for identifiers together where one label of ``where`` is the identifier, else for each."""
        if not need.query:
            together = _common(need) is not None
            for group in groups(identifiers) if together else ((each,) for each in identifiers):
                selector = _selector(need, group)
                for window in need.windows:
                    yield Ask(request=self._samples(selector, window), identifiers=group)
            return
        for identifier in identifiers:
            query = placed(need.query, identifier, _escaped, _BARE)
            for start, end in need.windows:
                for request in self._points(query, start, end):
                    yield Ask(request=request, identifiers=(identifier,))

    def rows(self, body: bytes) -> list[Row]:
        """Read a matrix."""
        answer = _answer(body)
        if answer.status != "success" or answer.data is None:
            raise Unusable("the source says that it failed")
        if answer.data.result_type != "matrix":
            raise Unusable(f"the source answers with a {answer.data.result_type}, which has no samples over time"[:99])
        return [
            Row(
                name=each.metric.get("__name__", ""),
                labels={name: value for name, value in each.metric.items() if name != "__name__"},
                samples=[(at, float(value)) for at, value in each.values],
            )
            for each in _matrix(answer.data.result)
        ]

    def complaint(self, body: bytes) -> str:
        """Prometheus says it in the same form."""
        answer = _answer(body)
        return f"{answer.error_type}: {answer.error}" if answer.error else ""

    def identifier(self, need: Need, row: Row) -> str:
        """By the label that is the identifier."""
        return row.labels.get(_common(need) or "", "")

    def _samples(self, selector: str, window: Window) -> Request:
        start, end = window
        return self._request("query", {"query": f"{selector}[{round((end - start) * 1000)}ms]", "time": f"{end:.3f}"})

    def _points(self, query: str, start: float, end: float) -> Iterator[Request]:
        """Ask for the instants in ``(start, end]``."""
        first, last = floor(start / STEP) + 1, floor(end / STEP)
        for begin in range(first, last + 1, MOST_POINTS):
            until = min(last, begin + MOST_POINTS - 1)
            yield self._request(
                "query_range", {"query": query, "start": begin * STEP, "end": until * STEP, "step": f"{STEP:g}"}
            )

    def _request(self, name: str, parameters: dict[str, object]) -> Request:
        encoded = urlencode(parameters)
        url = address(self._url, f"/api/v1/{name}", encoded)
        if len(url) <= LONGEST_URL:
            return Request(url)
        return Request(address(self._url, f"/api/v1/{name}"), encoded.encode(), "application/x-www-form-urlencoded")


def _common(need: Need) -> str | None:
    """The label whose value is the identifier and nothing else, where that is the only place of it."""
    places = [name for name, pattern in need.where.items() if PLACE in pattern]
    if len(places) == 1 and need.where[places[0]] == PLACE and PLACE not in need.metric:
        return places[0]
    return None


def _selector(need: Need, identifiers: Sequence[str]) -> str:
    matchers = [f"__name__={_string(fill(need.metric, identifiers[0]))}"]
    for name, pattern in need.where.items():
        if len(identifiers) > 1 and pattern == PLACE:
            matchers.append(f"{name}=~{_string('|'.join(map(quoted, identifiers)))}")
            continue
        filled = fill_patterns({name: pattern}, identifiers[0])[name]
        sign, value = ("=~", expression(filled)) if is_pattern(filled) else ("=", filled)
        matchers.append(f"{name}{sign}{_string(value)}")
    return f"{{{','.join(matchers)}}}"


def _string(text: str) -> str:
    """A string of PromQL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _escaped(identifier: str, mark: str, before: str) -> str:
    """An identifier inside a string, which may be a regular expression."""
    text = quoted(identifier) if before.endswith(("=~", "!~")) else identifier
    if mark == "`":
        if "`" in text:
            raise Unusable("an identifier that cannot stand between backticks")
        return text
    return text.replace("\\", "\\\\").replace(mark, f"\\{mark}").replace("\n", "\\n")
