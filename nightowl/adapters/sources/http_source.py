"""What sources have in common that answer over HTTP: equal requests go out once, and no answer can do harm.

What is particular to one is its ``Language``: how it is asked, and how its answers read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

import msgspec

from nightowl.adapters.sources.fetching import Answer, Fetcher, Request
from nightowl.core.errors import NightOwlError
from nightowl.core.points import points
from nightowl.core.reading import Got, Need, SourceSettings, fill, fill_patterns
from nightowl.core.redaction import TELLING, hiding
from nightowl.core.series import Series, labels, selects

MOST_SERIES = 20_000
"""Series in an answer at most."""

MOST_SAMPLES = 2_000_000
"""Samples in an answer at most."""

GROUP = 200
"""Identifiers that one request asks for at most."""

QUOTED = 200
"""Characters of an error that a source tells which are repeated."""

_NAME = re.compile(r"[^{}\"\s]+")
_NO_LABEL = re.compile(r"[^\w.-]", re.ASCII)


class Unusable(NightOwlError):
    """What was asked or answered cannot be used; the message says why, without repeating the answer."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A request, for one or several identifiers of a need."""

    request: Request
    identifiers: tuple[str, ...]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A series as a source names it, and its samples: times in Unix seconds."""

    name: str
    labels: Mapping[str, str]
    samples: Sequence[tuple[float, float]]


class Language(Protocol):
    """How a kind of source is asked, and how its answers read."""

    def asks(self, need: Need, identifiers: Sequence[str]) -> Iterable[Ask]:
        """Return the requests for some identifiers of a need. Raises ``Unusable``."""

    def rows(self, body: bytes) -> list[Row]:
        """Read an answer. Raises ``Unusable``, or what msgspec raises."""

    def complaint(self, body: bytes) -> str:
        """What the body of a refusal says is wrong. Raises what msgspec raises."""

    def identifier(self, need: Need, row: Row) -> str:
        """Which of several identifiers that were asked for together a row is of."""


class HttpSource:
    """See ``ports.Source``."""

    def __init__(self, settings: SourceSettings, language: Language) -> None:
        self._language = language
        self._fetcher = Fetcher(settings)
        self._hide = hiding(_secrets(settings))

    def read(self, needs: Sequence[Need], seconds: float) -> list[dict[str, Got]]:
        """Return, for each need, what there is by identifier."""
        faults: list[dict[str, Got]] = [{} for _ in needs]
        asks = [(number, ask) for number, need in enumerate(needs) for ask in self._asks(need, faults[number])]
        requests = list(dict.fromkeys(ask.request for _, ask in asks))
        answers = dict(zip(requests, map(self._rows, self._fetcher.fetch_all(requests, seconds)), strict=True))
        found = [{identifier: defaultdict[Series, list[tuple[float, float]]](list) for identifier in need.identifiers}
                 for need in needs]  # fmt: skip
        for number, ask in asks:
            rows = answers[ask.request]
            if isinstance(rows, Got):
                faults[number] |= dict.fromkeys(ask.identifiers, rows)
                continue
            for identifier, series, samples in self._sorted(needs[number], ask, rows):
                found[number][identifier][series] += samples
        return [
            {
                identifier: faults[number].get(identifier)
                or Got({series: points(samples) for series, samples in series_of.items()})
                for identifier, series_of in found[number].items()
            }
            for number in range(len(needs))
        ]

    def _asks(self, need: Need, faults: dict[str, Got]) -> Iterator[Ask]:
        """Yield the requests of a need; an identifier that cannot be asked for has a fault of its own."""
        try:
            yield from list(self._language.asks(need, need.identifiers))
        except Unusable:
            for identifier in need.identifiers:
                try:
                    yield from list(self._language.asks(need, [identifier]))
                except Unusable as error:
                    faults[identifier] = Got(fault=str(error))

    def _rows(self, answer: Answer) -> list[Row] | Got:
        """Return the rows of an answer, or what is wrong with it."""
        if answer.fault:
            return Got(fault=answer.fault, away=True)
        if answer.status != HTTPStatus.OK:
            return Got(fault=self._refusal(answer))
        try:
            rows = self._language.rows(answer.body)
        except Unusable as error:
            return Got(fault=str(error))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return Got(fault="the answer is not what such a source says")
        too_much = _too_much(rows)
        return Got(fault=too_much) if too_much else rows

    def _refusal(self, answer: Answer) -> str:
        status = answer.status
        said = f"the source answered {status}"
        if 300 <= status < 400:
            return f"{said}; redirects are not followed, so give the final address"
        try:
            complaint = " ".join(self._language.complaint(answer.body).split())
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return said
        text = self._hide(complaint)[:QUOTED]
        return f"{said}: {text}" if text and text.isprintable() else said

    def _sorted(
        self, need: Need, ask: Ask, rows: Iterable[Row]
    ) -> Iterator[tuple[str, Series, Sequence[tuple[float, float]]]]:
        """Say of each row of whom it is; what was not asked for is left out."""
        alone = ask.identifiers[0] if len(ask.identifiers) == 1 else None
        asked = set(ask.identifiers)
        wheres: dict[str, Mapping[str, str]] = {}
        for row in rows:
            identifier = self._language.identifier(need, row) if alone is None else alone
            if identifier not in asked:
                continue
            series = series_of(need, identifier, row)
            if need.where:
                where = wheres.setdefault(identifier, fill_patterns(need.where, identifier))
                if not selects(series.metric, where, series):
                    continue
            yield identifier, series, row.samples


def _too_much(rows: Sequence[Row]) -> str:
    """Say that an answer has more than it may (empty: it has not)."""
    if len(rows) > MOST_SERIES:
        return f"the answer has {len(rows)} series, and may have {MOST_SERIES}"
    if sum(len(row.samples) for row in rows) > MOST_SAMPLES:
        return f"the answer has more than {MOST_SAMPLES} samples"
    return ""


def series_of(need: Need, identifier: str, row: Row) -> Series:
    """The series of a row, under names that can be written and read again."""
    pairs = [(_label(name), value) for name, value in row.labels.items()]
    if _NAME.fullmatch(row.name):
        return Series(row.name, labels(pairs))
    if row.name:
        pairs.append(("target", row.name))
    return Series(fill(need.metric, identifier) or need.name, labels(pairs))


def _label(name: str) -> str:
    plain = _NO_LABEL.sub("_", name)
    return plain if plain[:1].isalpha() or plain[:1] == "_" else f"_{plain}"


def _secrets(settings: SourceSettings) -> Iterator[str]:
    """What a source is told that it must not be heard to say."""
    yield from (*settings.secrets, settings.bearer, settings.basic, settings.basic.partition(":")[2])
    yield from (value for value in settings.headers.values() if len(value) >= TELLING)
    parts = urlsplit(settings.url)
    yield parts.password or ""
    yield from (value for _, value in parse_qsl(parts.query) if len(value) >= TELLING)


def address(url: str, path: str, query: str = "") -> str:
    """The address of something below a source's URL, which may have a path and a query of its own."""
    parts = urlsplit(url)
    return parts._replace(
        path=f"{parts.path.rstrip('/')}{path}", query="&".join(filter(None, (parts.query, query))), fragment=""
    ).geturl()


def groups(identifiers: Sequence[str], most: int = GROUP) -> Iterator[tuple[str, ...]]:
    """Identifiers in runs that are asked for together."""
    for first in range(0, len(identifiers), most):
        yield tuple(identifiers[first : first + most])
