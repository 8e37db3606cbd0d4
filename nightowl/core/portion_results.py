"""Judge what a source has for a portion, and advance the machine by it.

The first half runs in evaluators, which remember nothing; the second where the states are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from nightowl.core.batches import weight
from nightowl.core.condition import Condition, Truth, unknown
from nightowl.core.evaluation import Finding
from nightowl.core.points import NONE
from nightowl.core.portions import Portion, PortionResult, judged
from nightowl.core.reading import ID, Got, fill, tagged
from nightowl.core.rule import STEP, Rule
from nightowl.core.rule_state import Phase, RuleState, advance
from nightowl.core.series import Series
from nightowl.core.strategies import BUILT_IN, Strategy

MOST_SERIES = 2000
"""Series that a rule may find for one identifier, or without any."""

MOST_BYTES = 512 * 1024
"""Bytes that the result of a portion may take in a message."""

States = Mapping[Series, RuleState]
"""Where a rule stands for series."""


def portions(rule: Rule, states: States) -> Iterator[Portion]:
    """The portions of a rule. Evaluators are told where it fires, as far as their judgement depends on that."""
    told = rule.recover is not None or rule.strategy not in BUILT_IN
    firing: dict[str, list[Series]] = {}
    for series, state in states.items() if told else ():
        if state.firing:
            firing.setdefault(_identifier(rule, series), []).append(series)
    for identifier in rule.identifiers or ("",):
        yield Portion(rule.name, identifier, tuple(firing.get(identifier, ())))


def result(rule: Rule, strategy: Strategy, portion: Portion, got: Got, at: float) -> PortionResult:
    """Judge all series that a source has for a portion at ``at``."""
    fault = got.fault
    if len(got.series) > MOST_SERIES:
        fault = f"the rule finds {len(got.series)} series, and may find {MOST_SERIES}"
    if fault:
        return PortionResult(rule.name, portion.identifier, fault, away=got.away)
    spans = strategy.spans(rule, STEP)
    firing = set(portion.firing)
    found = []
    for known, points in got.series.items():
        series = tagged(known, portion.identifier)
        windows = [points.window(at - span.older, at - span.newer) for span in spans]
        found.append(judged(series, strategy.judge(rule, windows, firing=series in firing)))
    made = PortionResult(rule.name, portion.identifier, series=tuple(found))
    if weight(made) > MOST_BYTES:
        return PortionResult(rule.name, portion.identifier, "the names of the series that the rule finds are too long")
    return made


def findings(rule: Rule, strategy: Strategy, said: PortionResult, states: States, at: float) -> list[Finding]:
    """Advance a rule by what was said of a portion; ``states`` are those of that portion's series.

    Series that the source does not have any more are judged without samples where the rule is not at rest for them,
    as those of NightOwl's own are; where it is, nothing is remembered of them. An identifier without any series stands
    for itself, so that it can be missed. So does what there is no answer about, so that this can be seen.
    """
    itself = _itself(rule, said.identifier)
    if said.fault:
        asked = states or {itself: RuleState()}
        return [_finding(rule, series, before, unknown(said.fault), at) for series, before in asked.items()]
    conditions = {each.series: each.condition for each in said.series}
    for series, before in states.items():
        if series not in conditions and before.phase is not Phase.OK:
            conditions[series] = _without(rule, strategy, before)
    if said.identifier and not conditions:
        conditions[itself] = _without(rule, strategy, states.get(itself, RuleState()))
    elif itself in conditions.keys() - {each.series for each in said.series} and (said.series or not said.identifier):
        conditions[itself] = Condition(truth=Truth.FALSE, sentence="the source answers")
    found = [
        _finding(rule, series, states.get(series, RuleState()), condition, at)
        for series, condition in conditions.items()
    ]
    ended = [
        _over(series, before, "there is other data", at)
        for series, before in states.items()
        if series not in conditions and before != RuleState()
    ]
    return found + ended


def departures(rule: Rule, states: States, at: float) -> list[Finding]:
    """End what stands for identifiers that the rule does not have any more."""
    if not rule.identifiers:
        return []
    listed = set(rule.identifiers)
    return [
        _over(series, before, "its identifier is not listed any more", at)
        for series, before in states.items()
        if _identifier(rule, series) not in listed
    ]


def by_identifier(rule: Rule, states: States) -> dict[str, dict[Series, RuleState]]:
    """A rule's states by identifier."""
    found: dict[str, dict[Series, RuleState]] = {}
    for series, state in states.items():
        found.setdefault(_identifier(rule, series), {})[series] = state
    return found


def settled(found: Iterable[Finding]) -> dict[Series, RuleState]:
    """The states of a portion after what was found."""
    return {each.series: each.after for each in found}


def _identifier(rule: Rule, series: Series) -> str:
    return dict(series.labels).get(ID, "") if rule.identifiers else ""


def _itself(rule: Rule, identifier: str) -> Series:
    """What stands for an identifier that the source knows nothing of, or for a rule that has no answer."""
    if not identifier:
        return Series(rule.name, (("answer", "none"),))
    return tagged(Series(fill(rule.metric, identifier) or rule.name), identifier)


def _without(rule: Rule, strategy: Strategy, before: RuleState) -> Condition:
    return strategy.judge(rule, [NONE] * len(strategy.spans(rule, STEP)), firing=before.firing)


def _over(series: Series, before: RuleState, why: str, at: float) -> Finding:
    return Finding(series, at, Condition(truth=Truth.FALSE, sentence=why), before, RuleState())


def _finding(rule: Rule, series: Series, before: RuleState, condition: Condition, at: float) -> Finding:
    return Finding(series, at, condition, before, advance(rule, before, condition.truth, at))
