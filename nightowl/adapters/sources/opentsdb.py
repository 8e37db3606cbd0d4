"""OpenTSDB: ``/api/query`` of version 2.3 and later, and what answers it.

By metric and labels the samples are asked for as they are (the aggregator ``none``); a ``query`` is one of the form
``m`` (``sum:rate:proc.stat.cpu{host=web1}``). http://opentsdb.net/docs/build/html/api_http/query/index.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import ceil, floor
from typing import Any
from urllib.parse import urlencode

import msgspec

from nightowl.adapters.sources.fetching import Request
from nightowl.adapters.sources.http_source import Ask, HttpSource, Row, Unusable, address, groups
from nightowl.adapters.sources.placing import placed, without
from nightowl.core.reading import PLACE, Need, SourceSettings, Window, fill, fill_patterns
from nightowl.core.shell_patterns import expression, is_pattern, quoted

MILLISECONDS = 1e11
"""From here on a time is one of milliseconds: as seconds it would be in the year 5138."""

_BARE = re.compile(r"[\w./-]+")


class _Series(msgspec.Struct):
    metric: str
    dps: dict[str, float | None] | list[tuple[float, float | None]]
    tags: dict[str, str] = {}


class _Error(msgspec.Struct):
    message: str = ""


class _Refusal(msgspec.Struct):
    error: _Error


_decode = msgspec.json.Decoder(list[_Series]).decode
_refusal = msgspec.json.Decoder(_Refusal).decode


def source(settings: SourceSettings) -> HttpSource:
    """Return the source of some settings."""
    return HttpSource(settings, _OpenTsdb(settings.url))


class _OpenTsdb:
    """See ``Language``."""

    def __init__(self, url: str) -> None:
        self._url = url

    def asks(self, need: Need, identifiers: Sequence[str]) -> Iterator[Ask]:
        """Ask for identifiers together where one label of ``where`` is the identifier, else for each."""
        together = not need.query and _common(need) is not None
        for group in groups(identifiers) if together else ((each,) for each in identifiers):
            for window in need.windows:
                yield Ask(request=self._request(need, group, window), identifiers=group)

    def rows(self, body: bytes) -> list[Row]:
        """Read a list of series, whose points are an object or an array, in seconds or milliseconds."""
        return [Row(name=each.metric, labels=each.tags, samples=_samples(each)) for each in _decode(body)]

    def complaint(self, body: bytes) -> str:
        """The message of an error."""
        return _refusal(body).error.message

    def identifier(self, need: Need, row: Row) -> str:
        """By the label that is the identifier."""
        return row.labels.get(_common(need) or "", "")

    def _request(self, need: Need, identifiers: Sequence[str], window: Window) -> Request:
        start, end = floor(window[0] * 1000), ceil(window[1] * 1000)
        if need.query:
            query = placed(need.query, identifiers[0], without("\\"), _BARE)
            return Request(
                address(self._url, "/api/query", urlencode({"start": start, "end": end, "m": query, "ms": "true"}))
            )
        asked = {"start": start, "end": end, "msResolution": True, "queries": [_query(need, identifiers)]}
        return Request(address(self._url, "/api/query"), msgspec.json.encode(asked), "application/json")


def _samples(found: _Series) -> list[tuple[float, float]]:
    pairs = found.dps.items() if isinstance(found.dps, dict) else found.dps
    timed = ((float(at), value) for at, value in pairs)
    return [(at / 1000 if at >= MILLISECONDS else at, value) for at, value in timed if value is not None]


def _common(need: Need) -> str | None:
    """The label whose value is the identifier and nothing else, where that is the only place of it."""
    places = [name for name, pattern in need.where.items() if PLACE in pattern]
    if len(places) == 1 and need.where[places[0]] == PLACE and PLACE not in need.metric:
        return places[0]
    return None


def _query(need: Need, identifiers: Sequence[str]) -> dict[str, Any]:
    filters = [_filter(name, pattern, identifiers) for name, pattern in need.where.items()]
    return {"aggregator": "none", "metric": fill(need.metric, identifiers[0]), "filters": filters}


def _filter(name: str, pattern: str, identifiers: Sequence[str]) -> dict[str, Any]:
    if len(identifiers) > 1 and pattern == PLACE:
        if any("|" in each for each in identifiers):
            raise Unusable("an identifier that cannot be asked for")
        return _of("literal_or", name, "|".join(identifiers))
    filled = fill_patterns({name: pattern}, identifiers[0])[name]
    if is_pattern(filled):
        return _of("regexp", name, f"^{expression(filled)}$")
    if "|" in filled:
        return _of("regexp", name, f"^{quoted(filled)}$")
    return _of("literal_or", name, filled)


def _of(kind: str, name: str, value: str) -> dict[str, Any]:
    return {"type": kind, "tagk": name, "filter": value, "groupBy": True}
