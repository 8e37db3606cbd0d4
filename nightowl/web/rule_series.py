"""The series that a rule looks at, each as the rule sees it now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import floor

import msgspec

from nightowl.core import combining
from nightowl.core.condition import Truth
from nightowl.core.evaluation import Evaluation, Finding
from nightowl.core.points import Points
from nightowl.core.rule import STEP, Rule
from nightowl.core.rule_incident import Standing, series_of
from nightowl.core.rule_state import RuleState
from nightowl.core.series import Series
from nightowl.core.strategies import Strategy
from nightowl.ports import Unit
from nightowl.web.rule_rows import UNKNOWN, WORDS, RuleRow, SeriesRow
from nightowl.web.rule_samples import Found, history

LISTED = 50
"""Series that are judged for one page; the others are counted."""

MEMBERS = 200
"""Series that are combined for one page at most."""


SAMPLES = 200_000
"""Samples that are read for one page at most."""


class SeriesNow(msgspec.Struct, frozen=True, kw_only=True):
    """A series, where the rule stands for it, and what it finds now: figure, bound, and a sentence.

    ``row`` has the state, also of a series that is at rest.
    """

    row: SeriesRow
    value: float | None = None
    bound: float | None = None
    sentence: str = ""


class SeriesList(msgspec.Struct, frozen=True, kw_only=True):
    """The worst series first; ``more`` counts those that are not listed, and are at rest as far as is known.

    ``cut`` says why nothing is told of the series (empty: it is).
    """

    rows: tuple[SeriesNow, ...] = ()
    more: int = 0
    cut: str = ""


def series_list(
    unit: Unit,
    rule: Rule,
    row: RuleRow,
    standings: Mapping[str, Standing],
    found: Found,
    now: float,
    strategies: Mapping[str, Strategy],
) -> SeriesList:
    """Judge a rule's series at the last instant; ``standings`` are those of the rule, by series, as ``row`` is of."""
    at = floor(now / STEP) * STEP
    known = {each.series: each for each in row.series}
    combines = combining.combines(rule)
    if combines and found.total > MEMBERS:
        return _unjudged(row, f"{found.total:,} series are combined, which are too many to do it for a page.")
    stored = [*found.series, *found.subtracted]
    if not combines:
        stored = list(dict.fromkeys([*(series_of(standings[name]) for name in known), *stored]))
    samples = _read(unit, rule, stored if combines else stored[:LISTED], at, strategies)
    if combines and len(samples) < len(stored):
        return _unjudged(row, f"The {found.total:,} combined series have too many samples to do it for a page.")
    known_states = {series_of(each): each.state for each in standings.values()}
    states = {series: state for series, state in known_states.items() if combines or series in samples}
    findings = {str(each.series): each for each in _judged(rule, samples, states, at, strategies)}
    names = list(dict.fromkeys([*known, *findings]))
    rows = tuple(_now(name, known.get(name), findings.get(name)) for name in names[:LISTED])
    return SeriesList(rows=rows, more=max(0, len(names if combines else {*names, *map(str, stored)}) - len(rows)))


def _unjudged(row: RuleRow, why: str) -> SeriesList:
    return SeriesList(rows=tuple(SeriesNow(row=each) for each in row.series[:LISTED]), cut=why)


def _read(
    unit: Unit, rule: Rule, series: Iterable[Series], at: float, strategies: Mapping[str, Strategy]
) -> dict[Series, Points]:
    """What can be read of these series: without the last ones where the others have so many samples."""
    samples: dict[Series, Points] = {}
    left = SAMPLES
    for each in series:
        if left <= 0:
            break
        samples[each] = history(unit, rule, each, at, at, strategies)
        left -= len(samples[each])
    return samples


def _judged(
    rule: Rule,
    samples: Mapping[Series, Points],
    states: dict[Series, RuleState],
    at: float,
    strategies: Mapping[str, Strategy],
) -> Iterator[Finding]:
    evaluation = Evaluation(rule, STEP, strategies)
    evaluation.recall(at, samples)
    evaluation.states = states
    yield from evaluation.at(at, samples)


def _now(name: str, row: SeriesRow | None, found: Finding | None) -> SeriesNow:
    if found is None:
        assert row is not None, "what was not found stands in the store"
        return SeriesNow(row=row)
    condition = found.condition
    if row is None:
        state = UNKNOWN if condition.truth is Truth.UNKNOWN else WORDS[found.before.phase]
        row = SeriesRow(series=name, labels=dict(found.series.labels), phase=found.before.phase, state=state)
    return SeriesNow(row=row, value=condition.value, bound=condition.bound, sentence=condition.sentence)
