"""What a rule saw of a series, thinned to a picture."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightowl.core.condition import Condition, truth
from nightowl.core.limits import Limit, relative_limit
from nightowl.core.points import Points, points
from nightowl.core.replay import Replay, instants
from nightowl.core.rule import STEP, Baseline, Rule
from nightowl.core.rule_state import Phase
from nightowl.core.rule_trace import MOST, Band, Gap, Trace, trace
from nightowl.core.series import Series
from nightowl.core.strategies import BUILT_IN, Strategy
from nightowl.core.strategies.strategy import Span
from tests.core.rule_histories import histories, rules

M = Series("m")


def traced(rule: Rule, values: list[float | None], strategies: dict[str, Strategy] | None = None) -> Trace:
    """A sample every 10 s from 10 on; None: none."""
    known = {M: points((10.0 * at, value) for at, value in enumerate(values, 1) if value is not None)}
    replay = Replay(rule, STEP, strategies or BUILT_IN)
    findings = [
        found
        for at in instants(10.0, 10.0 * len(values), STEP)
        for found in replay.at(at, known)
        if found.series.metric.startswith("m")
    ]
    return trace(rule, findings, known, STEP, strategies or BUILT_IN)


def test_figures_phases_and_pages_are_those_of_the_machine() -> None:
    rule = Rule(name="r", metric="m", limits=(Limit("above", 5.0),), for_=10.0)
    found = traced(rule, [1, 9, 9, 9, 1])
    assert (found.start, found.end, found.every) == (10.0, 50.0, 10.0)
    assert found.points == ((10.0, 1), (20.0, 9), (30.0, 9), (40.0, 9), (50.0, 1))
    assert found.opened == (30.0,)
    assert [(stay.phase, stay.start, stay.end) for stay in found.stays] == [
        (Phase.OK, 10.0, 20.0), (Phase.PENDING, 20.0, 30.0), (Phase.FIRING, 30.0, 50.0), (Phase.OK, 50.0, 50.0),
    ]  # fmt: skip
    assert found.band[0] == Band(10.0, None, 5.0)


def test_a_fixed_limit_is_drawn_where_it_is_while_nothing_is_known_or_the_rule_recovers() -> None:
    rule = Rule(name="r", metric="m", limits=(Limit("above", 5.0),), recover=2.0, stale=10.0)
    found = traced(rule, [9, 4, None, 4])
    assert [each.upper for each in found.band] == [5.0] * 4
    assert found.points[2] == (30.0, None)
    assert found.gaps == (Gap(start=30.0, end=40.0),)


def test_both_relative_limits_have_their_own_bounds() -> None:
    limits = (relative_limit("above", "+50%"), relative_limit("below", "-20%"))
    rule = Rule(name="r", metric="m", strategy="floating", baseline=Baseline(over=20.0), limits=limits)
    found = traced(rule, [10.0, 10.0, 10.0, 100.0])
    assert found.band[0] == Band(10.0, None, None)
    assert found.band[-1] == Band(40.0, 8.0, 15.0)


def test_bounds_of_a_combined_series_are_known_as_well() -> None:
    limits = (relative_limit("above", "+50%"), relative_limit("below", "-20%"))
    rule = Rule(name="r", metric="m", by=(), strategy="floating", baseline=Baseline(over=20.0), limits=limits)
    assert traced(rule, [10.0] * 5).band[-1] == Band(50.0, 8.0, 15.0)


@pytest.mark.parametrize(
    ("comparison", "sides"),
    [("at_least", (None, 5.0)), ("at_most", (5.0, None)), ("equals", (5.0, 5.0)), ("not_equals", (5.0, 5.0))],
)
def test_every_comparison_has_its_side(comparison, sides) -> None:  # type: ignore[no-untyped-def]
    found = traced(Rule(name="r", metric="m", limits=(Limit(comparison, 5.0),)), [1.0])
    assert found.band == (Band(10.0, *sides),)


class Doubled:
    """A strategy of a user's own: twice its limit is what it holds against a series."""

    def spans(self, rule: Rule, step: float) -> tuple[Span, ...]:
        return (Span(step),)

    def judge(self, rule: Rule, windows: list[Points], *, firing: bool) -> Condition:
        value, bound = windows[0].values[-1], 2 * rule.limits[0].amount
        return Condition(truth=truth(value > bound), value=value, bound=bound)


def test_the_limits_of_a_plug_in_are_drawn_by_its_own_bounds() -> None:
    rule = Rule(name="r", metric="m", strategy="doubled", limits=(Limit("above", 5.0),))
    found = traced(rule, [9.0, 11.0], {"doubled": Doubled()})  # type: ignore[dict-item]
    assert (found.band[-1], found.opened) == (Band(20.0, None, 10.0), (20.0,))


def test_a_long_trace_is_thinned_and_keeps_its_spikes() -> None:
    values: list[float | None] = [1.0] * 5000
    values[1234] = 99.0
    found = traced(Rule(name="r", metric="m", limits=(Limit("above", 5.0),), stale=10.0), values)
    assert len(found.points) <= MOST
    assert len(found.band) <= MOST
    assert (12350.0, 99.0) in found.points
    assert found.opened == (12350.0,)


def test_nothing_is_drawn_of_nothing() -> None:
    assert trace(Rule(name="r", metric="m"), [], {}, 10.0) == Trace(start=0.0, end=0.0, every=10.0)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_trace_tells_what_the_replay_did(data) -> None:  # type: ignore[no-untyped-def]
    rule = data.draw(rules())
    known = {M: points(data.draw(histories(counter=rule.counter)))}
    replay, findings = Replay(rule, STEP), []
    for at in instants(0.0, 400.0, STEP):
        findings += replay.at(at, known)
    found = trace(rule, findings, known, STEP)
    assert list(found.opened) == replay.opened.get(M, [])
    moves = [(stay.start, stay.phase) for stay in found.stays]
    first = moves[:1] if moves and moves[0][1] is Phase.OK else []
    assert moves[len(first) :] == [(step.at, step.after) for step in replay.transitions.get(M, [])]
    judged = {(each.at, each.condition.value) for each in findings}
    assert {point for point in found.points if point[1] is not None} <= judged
