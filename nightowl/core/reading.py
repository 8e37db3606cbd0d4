"""What is to be read of a source for a rule, and what was read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from nightowl.core.condition import Truth
from nightowl.core.points import NONE, Points
from nightowl.core.rule import STEP, Rule
from nightowl.core.series import Series
from nightowl.core.strategies import Span, Strategy

NEAR = 300.0
"""Seconds between two windows up to which they are read in one."""

ID = "id"
"""The label that tells for which of a rule's identifiers a series was found."""

PLACE = "$id"
"""What stands for an identifier in a rule."""

Window = tuple[float, float]
"""Unix seconds, the first excluded and the last included."""


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """Series of a source, by ``metric`` and ``where`` or by a ``query`` in the source's own language.

    They are wanted for each of ``identifiers`` (one empty text: as they are), within ``windows`` (rising, apart).
    ``name`` is what a series is called that the source gives no name.
    """

    name: str
    metric: str = ""
    where: Mapping[str, str] = {}
    query: str = ""
    identifiers: tuple[str, ...] = ("",)
    windows: tuple[Window, ...]


class Got(msgspec.Struct, frozen=True):
    """What a source has for an identifier: its series, or why they are not known (``fault``).

    ``away``: nothing came from the source at all, so that it makes no sense to ask it more at this instant.
    """

    series: Mapping[Series, Points] = {}
    fault: str = ""
    away: bool = False


class SourceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A source as it is configured.

    ``url`` or ``path`` say where it is. ``basic`` is ``user:password``, ``ca`` PEM text, ``timeout`` the seconds that
    one answer may take. ``secrets`` are values that may appear in nothing that is said of it.
    """

    name: str
    kind: str
    url: str = ""
    path: str = ""
    basic: str = ""
    bearer: str = ""
    headers: Mapping[str, str] = {}
    verify: bool = True
    ca: str = ""
    timeout: float = 5.0
    secrets: tuple[str, ...] = ()


def spans_read(rule: Rule, strategy: Strategy) -> list[Span]:
    """The spans of a rule's windows, as far back as a series that has ended is to be seen.

    That is until the rule's policy on missing data has taken effect, or until a strategy has had its say on windows
    that are empty, as ``absent`` has.
    """
    spans = list(strategy.spans(rule, STEP))
    of_nothing = strategy.judge(rule, [NONE] * len(spans), firing=False)
    if rule.nodata in ("nodata", "alert") or of_nothing.truth is not Truth.UNKNOWN:
        spans = [Span(span.older + rule.nodata_after + STEP, span.newer) for span in spans]
    return spans


def need(rule: Rule, strategy: Strategy, identifiers: Sequence[str], at: float) -> Need:
    """What a rule needs of its source at ``at`` for some of its identifiers."""
    return Need(
        name=rule.name,
        metric=rule.metric,
        where=rule.where,
        query=rule.query,
        identifiers=tuple(identifiers),
        windows=joined((at - span.older, at - span.newer) for span in spans_read(rule, strategy)),
    )


def joined(windows: Iterable[Window], near: float = NEAR) -> tuple[Window, ...]:
    """Windows in order, those that overlap or are near made one."""
    found: list[Window] = []
    for start, end in sorted(windows):
        if found and start - found[-1][1] <= near:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def fill(text: str, identifier: str) -> str:
    """A text with an identifier in its place, as it is."""
    return text.replace(PLACE, identifier)


def fill_patterns(where: Mapping[str, str], identifier: str) -> dict[str, str]:
    """Shell patterns with an identifier in its place, which stands for itself alone."""
    plain = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in identifier)
    return {name: pattern.replace(PLACE, plain) for name, pattern in where.items()}


def tagged(series: Series, identifier: str) -> Series:
    """A series that was found for an identifier; as it is where there is none.

    A label of its own that is called so and says something else is kept under another name, as Prometheus does it.
    """
    if not identifier:
        return series
    carried = dict(series.labels)
    own = carried.get(ID, identifier)
    more = {} if own == identifier else {f"exported_{ID}": own}
    return Series(series.metric, tuple(sorted({**carried, **more, ID: identifier}.items())))
