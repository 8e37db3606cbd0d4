"""Graphite: its render API as JSON. Points come at their own resolution; null is a missing sample.

A metric is a path with wildcards; with labels in ``where`` it is the name of a tagged series.
https://graphite.readthedocs.io/en/stable/render_api.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import ceil, floor
from urllib.parse import urlencode

import msgspec

from nightowl.adapters.sources.fetching import Request
from nightowl.adapters.sources.http_source import Ask, HttpSource, Row, Unusable, address, groups
from nightowl.adapters.sources.placing import placed, without
from nightowl.core.reading import PLACE, Need, SourceSettings, Window, fill_patterns
from nightowl.core.shell_patterns import expression, is_pattern, quoted

LONGEST_URL = 2000
"""Characters of a URL up to which a request is a GET; a longer one is a POST of the same."""

_BARE = re.compile(r"[\w.:@%+#~-]+")
_NODE = re.compile(r"[\w:@%+#~-]+")
"""What an identifier may be that is a whole node of a path and is asked for with others."""


class _Series(msgspec.Struct):
    target: str
    datapoints: list[tuple[float | None, float]]
    tags: dict[str, str | float | None] = {}


_decode = msgspec.json.Decoder(list[_Series]).decode


def source(settings: SourceSettings) -> HttpSource:
    """Return the source of some settings."""
    return HttpSource(settings, _Graphite(settings.url))


class _Graphite:
    """See ``Language``."""

    def __init__(self, url: str) -> None:
        self._url = url

    def asks(self, need: Need, identifiers: Sequence[str]) -> Iterator[Ask]:
        """Ask for identifiers together where they are a node of a path, or one label of ``where``; else for each."""
        for group in groups(identifiers) if _together(need, identifiers) else ((each,) for each in identifiers):
            target = _target(need, group)
            for window in need.windows:
                yield Ask(request=self._request(target, window), identifiers=group)

    def rows(self, body: bytes) -> list[Row]:
        """Read a list of series."""
        return [_row(each) for each in _decode(body)]

    def complaint(self, body: bytes) -> str:
        """Graphite says what is wrong in plain text, or with a page of HTML that says nothing to anybody."""
        text = body[:2000].decode()
        return "" if "<" in text else text

    def identifier(self, need: Need, row: Row) -> str:
        """By the label or the node of the path that is the identifier."""
        for name, pattern in need.where.items():
            if pattern == PLACE:
                return row.labels.get(name, "")
        node, nodes = need.metric.split(".").index(PLACE), row.name.split(".")
        return nodes[node] if node < len(nodes) else ""

    def _request(self, target: str, window: Window) -> Request:
        start, end = window
        parameters = {"target": target, "from": floor(start), "until": ceil(end), "format": "json"}
        encoded = urlencode(parameters | {"noCache": "true", "noNullPoints": "true"})
        url = address(self._url, "/render", encoded)
        if len(url) <= LONGEST_URL:
            return Request(url)
        return Request(address(self._url, "/render"), encoded.encode(), "application/x-www-form-urlencoded")


def _row(found: _Series) -> Row:
    samples = [(at, value) for value, at in found.datapoints if value is not None]
    name, mark, _ = found.target.partition(";")
    tags = {key: str(value) for key, value in found.tags.items() if key != "name"}
    return Row(name=name, labels=tags if mark else {}, samples=samples)


def _together(need: Need, identifiers: Sequence[str]) -> bool:
    """Whether several identifiers can be asked for in one request, and told apart in its answer."""
    if need.query or len(identifiers) < 2:
        return False
    tags = [pattern for pattern in need.where.values() if PLACE in pattern]
    nodes = [node for node in need.metric.split(".") if PLACE in node]
    if need.where:
        return tags == [PLACE] and not nodes
    return nodes == [PLACE] and all(map(_NODE.fullmatch, identifiers))


def _target(need: Need, identifiers: Sequence[str]) -> str:
    one = identifiers[0]
    if need.query:
        return placed(need.query, one, without("\\"), _BARE)
    if not need.where:
        place = one if len(identifiers) == 1 else f"{{{','.join(identifiers)}}}"
        if len(identifiers) == 1 and PLACE in need.metric and not _BARE.fullmatch(one):
            raise Unusable("an identifier that cannot stand in a path")
        return need.metric.replace(PLACE, place)
    conditions = [_condition("name", need.metric.replace(PLACE, one))]
    conditions += [_tag(name, pattern, identifiers) for name, pattern in need.where.items()]
    return f"seriesByTag({','.join(conditions)})"


def _tag(name: str, pattern: str, identifiers: Sequence[str]) -> str:
    """A condition of ``seriesByTag``, whose regular expressions match from the beginning on."""
    if len(identifiers) > 1 and pattern == PLACE:
        return _condition(name, f"^({'|'.join(map(quoted, identifiers))})$", "=~")
    filled: Mapping[str, str] = fill_patterns({name: pattern}, identifiers[0])
    if is_pattern(filled[name]):
        return _condition(name, f"^{expression(filled[name])}$", "=~")
    return _condition(name, filled[name])


def _condition(name: str, value: str, sign: str = "=") -> str:
    if any(letter in f"{name}{value}" for letter in "'\";") or not f"{name}{value}".isprintable():
        raise Unusable("a label or an identifier that Graphite cannot be asked for")
    return f"'{name}{sign}{value}'"
