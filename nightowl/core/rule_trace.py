"""What a rule saw of one series over a span: the figure that it judged, the limits around it, and where it stood.

Drawn from findings of a replay, thinned to what a picture can show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from nightowl.core.combining import combines
from nightowl.core.condition import Truth
from nightowl.core.evaluation import Evaluation, Finding
from nightowl.core.limits import Limit
from nightowl.core.points import Points
from nightowl.core.rule import STEP, Rule
from nightowl.core.rule_state import Phase
from nightowl.core.series import Series
from nightowl.core.strategies import BUILT_IN, Strategy

K = TypeVar("K")

MOST = 600
"""Moments of a trace at most."""


class Band(msgspec.Struct, frozen=True, array_like=True):
    """Between which figures nothing is broken at an instant (None: there is no limit on that side, or none is known).

    Where both are the same figure, that figure itself is the limit: of ``equals`` and ``not_equals``.
    """

    at: float
    lower: float | None
    upper: float | None


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """A rule is in one phase for a series from ``start`` to ``end`` (Unix seconds)."""

    phase: Phase
    start: float
    end: float


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """From ``start`` to ``end`` (Unix seconds) nothing was known of a series."""

    start: float
    end: float


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """A series as a rule sees it from ``start`` to ``end`` (Unix seconds), looked at every ``every`` seconds.

    ``points`` are pairs of an instant and the figure that was judged (None: there was none): the newest sample, a rate,
    an average. ``opened`` are the instants at which the rule would have paged.
    """

    start: float
    end: float
    every: float
    points: tuple[tuple[float, float | None], ...] = ()
    band: tuple[Band, ...] = ()
    opened: tuple[float, ...] = ()
    stays: tuple[Stay, ...] = ()
    gaps: tuple[Gap, ...] = ()


def trace(
    rule: Rule,
    findings: Sequence[Finding],
    known: Mapping[Series, Points],
    every: float,
    strategies: Mapping[str, Strategy] = BUILT_IN,
) -> Trace:
    """Trace the findings of one series, in order of time and ``every`` seconds apart, that ``known`` gave rise to."""
    if not findings:
        return Trace(start=0.0, end=0.0, every=every)
    return Trace(
        start=findings[0].at,
        end=findings[-1].at,
        every=every,
        points=tuple(_points(findings)),
        band=tuple(_band(rule, findings, known, strategies)),
        opened=tuple(found.at for found in findings if found.opens),
        stays=tuple(Stay(phase=phase, start=start, end=end) for phase, start, end in _spans(findings, every, _phase)),
        gaps=tuple(Gap(start=start, end=end) for gone, start, end in _spans(findings, every, _unknown) if gone),
    )


def _points(findings: Sequence[Finding]) -> Iterator[tuple[float, float | None]]:
    """Of each part the least and the greatest figure, at their instants, so that no spike is lost."""
    for part in _parts(findings, MOST // 2):
        figures = [(found.at, found.condition.value) for found in part if found.condition.value is not None]
        if not figures:
            yield part[0].at, None
            continue
        ends = {min(figures, key=lambda each: each[1]), max(figures, key=lambda each: each[1])}
        yield from sorted(ends)


def _spans(findings: Sequence[Finding], every: float, key: Callable[[Finding], K]) -> Iterator[tuple[K, float, float]]:
    """Of findings in a row that have the same key: the key, and from when to when."""
    for same, group in groupby(findings, key=key):
        inside = list(group)
        yield same, inside[0].at, min(inside[-1].at + every, findings[-1].at)


def _phase(found: Finding) -> Phase:
    return found.after.phase


def _unknown(found: Finding) -> bool:
    return found.condition.truth is Truth.UNKNOWN


def _band(
    rule: Rule, findings: Sequence[Finding], known: Mapping[Series, Points], strategies: Mapping[str, Strategy]
) -> Iterator[Band]:
    """The bound of each limit, as the rule's strategy tells it; that of ``fixed`` is known whatever the figure is."""
    instants = [part[-1] for part in _parts(findings, MOST)]
    if rule.strategy == "fixed":
        bounds: dict[Limit, list[float | None]] = {limit: [limit.amount] * len(instants) for limit in rule.limits}
    elif len(rule.limits) == 1:
        bounds = {rule.limits[0]: [found.condition.bound for found in instants]}
    else:
        walked = findings if combines(rule) else instants  # what is combined is made at each instant
        every = {limit: _bounds(rule, limit, walked, known, strategies) for limit in rule.limits}
        bounds = {limit: [found[each.at] for each in instants] for limit, found in every.items()}
    for number, found in enumerate(instants):
        sides = [_sides(limit, of_limit[number]) for limit, of_limit in bounds.items()]
        yield Band(found.at, _first(lower for lower, _ in sides), _first(upper for _, upper in sides))


def _bounds(
    rule: Rule,
    limit: Limit,
    findings: Iterable[Finding],
    known: Mapping[Series, Points],
    strategies: Mapping[str, Strategy],
) -> dict[float, float | None]:
    """Where one of several limits lay: a strategy tells the bound of the one that is nearest to being broken."""
    alone = Evaluation(replace(rule, limits=(limit,)), STEP, strategies)
    return {
        found.at: next(
            (each.condition.bound for each in alone.at(found.at, known) if each.series == found.series), None
        )
        for found in findings
    }


def _sides(limit: Limit, bound: float | None) -> tuple[float | None, float | None]:
    if limit.comparison in ("equals", "not_equals"):
        return bound, bound
    return (None, bound) if limit.rising else (bound, None)


def _first(values: Iterable[float | None]) -> float | None:
    return next((value for value in values if value is not None), None)


def _parts(findings: Sequence[Finding], most: int) -> Iterator[Sequence[Finding]]:
    """Cut a sequence into at most so many parts that are equally long."""
    length = -(-len(findings) // most)
    for first in range(0, len(findings), length):
        yield findings[first : first + length]
