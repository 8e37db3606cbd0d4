"""Rules over many series by arrays: the same states at every instant as the core's functions and the naive writing."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nightowl.core import evaluation
from nightowl.core.frame import Frame
from nightowl.core.limits import Limit, relative_limit
from nightowl.core.points import points
from nightowl.core.replay import instants
from nightowl.core.rule import Baseline, Rule
from nightowl.core.rule_state import Phase, RuleState
from nightowl.core.series import Series
from nightowl.core.strategies import fixed
from nightowl.core.values import Sample
from nightowl.core.vector.evaluation import Evaluation, needs
from nightowl.core.vector.head import Head
from tests.core import naive_rules
from tests.core.rule_histories import STEP, histories, rules

LAST = 310.0
AHEAD = 20.0


class World:
    """Samples as they arrive, a head that takes them, and one rule over it by arrays."""

    def __init__(self, rule, lagging_from=math.inf):
        self.rule = rule
        self.lagging_from = lagging_from
        self.arrived = {}
        self.take_over(0.0)

    def take_over(self, now):
        """Begin anew with what was stored, as the next leader does."""
        states = self.evaluation.states() if self.arrived else {}
        self.head = Head(needs([self.rule], step=STEP, lagging_from=self.lagging_from), ahead=AHEAD)
        self.head.take(self.samples(-math.inf, math.inf))
        self.evaluation = Evaluation(self.rule, self.head, STEP)
        self.evaluation.recall(now)
        self.evaluation.restore(states)

    def samples(self, start, end):
        return [
            Sample(series.metric, series.labels, time, value)
            for series, found in self.arrived.items()
            for time, value in found
            if start < time <= end
        ]

    def take(self, arriving):
        for series, time, value in arriving:
            self.arrived.setdefault(series, []).append((time, value))
        self.head.take(Sample(series.metric, series.labels, time, value) for series, time, value in arriving)

    def at(self, now):
        """The states in another phase than OK, and what has changed."""
        self.evaluation.hold()
        self.head.trim(now)
        self.evaluation.trim(now)
        for reading in self.head.wanted(now):
            self.head.take(self.samples(reading.start, reading.end), reading.span)
            self.head.read(reading)
        found = self.evaluation.at(now)
        self.evaluation.settle()
        assert self.evaluation.corrections == 0, "the core need not correct what arrays find"
        return unsettled(self.evaluation.states()), found


def unsettled(states):
    return {series: state for series, state in states.items() if state.phase is not Phase.OK}


def dense(seed, counter):
    """A history with few gaps, so that limits are broken and kept again and again."""
    rng, value = random.Random(seed), 0.0
    for time in instants(0, LAST, 5.0):
        if rng.random() < 0.85:
            step = rng.choice((0.0, 1.0, 2.0, 3.0, -value))
            value = value + step if counter else rng.randint(-40, 40) / 4
            yield time, value


@st.composite
def arrivals(draw, rule, series, latest):
    """Per instant the samples that arrive before it: late ones, and ones from the future."""
    found = {t: [] for t in instants(0, LAST, STEP)}
    for each in series:
        seed = draw(st.integers(1, 10**6))
        rng = random.Random(seed)
        history = dense(seed, rule.counter) if draw(st.booleans()) else draw(histories(counter=rule.counter))
        for time, value in history:
            delay = rng.choice((0.0, 0.0, 0.0, -20.0, latest))
            at = min(max(math.ceil((time + delay) / STEP), 0) * STEP, LAST)
            found[at].append((each, time, value))
    return found


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_arrays_the_core_and_a_naive_reference_agree_at_every_instant(data):
    rule = replace(data.draw(rules()), metric="m")
    lags = data.draw(st.booleans())
    series = [Series("m", (("n", str(number)),)) for number in range(data.draw(st.integers(1, 4)))]
    arriving = data.draw(arrivals(rule, series, latest=0.0 if lags else 35.0))
    world = World(rule, lagging_from=15.0 if lags else math.inf)
    turn = data.draw(st.sampled_from(list(instants(0, LAST, STEP))))
    core = evaluation.Evaluation(rule, STEP)
    naive = {each: naive_rules.Machine(rule) for each in series}
    for now in instants(0, LAST, STEP):
        world.take(arriving[now])
        if now == turn:
            world.take_over(now)
        by_arrays, _ = world.at(now)
        core.settle(list(core.at(now, {each: points(found) for each, found in world.arrived.items()})))
        for each, found in world.arrived.items():
            if any(time <= now and math.isfinite(value) for time, value in found):
                machine = naive[each]
                truth = naive_rules.STRATEGIES[rule.strategy](rule, found, now, STEP, firing=machine.firing())
                machine.step(truth, now)
        assert by_arrays == unsettled(core.states)
        phases = {each: machine.phase for each, machine in naive.items() if machine.phase != "OK"}
        assert {each: state.phase for each, state in by_arrays.items()} == phases


@st.composite
def combining_rules(draw):
    rule = replace(draw(rules().filter(lambda rule: rule.strategy != "period")), metric="m")
    by = draw(st.sampled_from([None, (), ("zone",)]))
    difference = "other" if by is None else draw(st.sampled_from(["", "other"]))
    how = None if rule.counter else draw(st.sampled_from([None, "min", "max", "sum", "count", "median", "last"]))
    return replace(rule, by=by, difference=difference, aggregate=how)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_series_made_of_others_agree_with_the_core(data):
    rule = data.draw(combining_rules())
    series = [
        Series(metric, (("n", str(number)), ("zone", str(number % 2))))
        for metric in ("m", "other")
        for number in range(3)
    ]
    arriving = data.draw(arrivals(rule, series, latest=35.0))
    world, core = World(rule), evaluation.Evaluation(rule, STEP)
    span = needs([rule], step=STEP)["m"].span
    for now in instants(0, LAST, STEP):
        world.take(arriving[now])
        by_arrays, _ = world.at(now)
        # a member that has ended is counted, as none, as long as the head knows it
        known = {each: points(found).window(now - span, math.inf) for each, found in world.arrived.items()}
        core.settle(list(core.at(now, known)))
        assert by_arrays == unsettled(core.states)


FLOATS = st.sampled_from([0.1, 0.2, 0.3, 0.1 + 0.2, 0.7, 1.1, 1e16, -0.1, 3.3, 0.15])
"""Values whose sums depend on the order of adding."""


@st.composite
def rounded_rules(draw):
    """Rules with limits that lie where such sums come to."""
    number = st.sampled_from([0.1, 0.2, 0.3, 0.6, 0.15, 1.1, 0.01, 0.03])
    comparison = st.sampled_from(["above", "below", "at_least", "at_most"])
    keys = {"name": "r", "metric": "m", "counter": draw(st.booleans())}
    strategy = keys["strategy"] = draw(st.sampled_from(["fixed", "floating", "period"]))
    if strategy == "fixed":
        keys |= {"over": 60.0, "limits": (Limit(draw(comparison), draw(number)),)}
        if not keys["counter"]:
            keys["aggregate"] = draw(st.sampled_from(["sum", "mean"]))
    elif strategy == "floating":
        unit = draw(st.sampled_from(["+0", "-0.1", "+100%", "-50%", "+0%"] + ([] if keys["counter"] else ["+1 sigma"])))
        keys |= {"baseline": Baseline(of=draw(st.sampled_from(["mean", "median"])), over=60.0)}
        keys["limits"] = (relative_limit(draw(comparison), unit),)
    else:
        keys |= {"average": 40.0, "compare": (50.0,), "limits": (relative_limit(draw(comparison), "+0%"),)}
        keys |= {"min_base": draw(st.sampled_from([0.0, 0.1])), "on_zero": draw(st.sampled_from(["ok", "unknown"]))}
    return Rule(**keys)


@settings(max_examples=150, deadline=None)
@given(rounded_rules(), st.lists(FLOATS, min_size=8, max_size=14))
def test_where_rounding_could_decide_the_core_decides(rule, values):
    world, core = World(rule), evaluation.Evaluation(rule, STEP)
    for number, value in enumerate(values):
        now = number * STEP
        world.take([(Series("m"), now, value)])
        by_arrays, _ = world.at(now)
        core.settle(list(core.at(now, {each: points(found) for each, found in world.arrived.items()})))
        assert by_arrays == unsettled(core.states)


def test_a_sum_that_is_rounded_to_the_other_side_of_its_limit_is_the_cores():
    limit = (Limit("at_least", 1.0),)
    world = World(Rule(name="r", metric="m", aggregate="sum", over=100.0, limits=limit))
    world.take([(Series("m"), number * STEP, 0.1) for number in range(10)])
    assert sum([0.1] * 10) < 1.0
    assert [state.phase for state in world.at(90.0)[0].values()] == [Phase.FIRING]


@pytest.mark.parametrize(("comparison", "fires"), [("at_least", True), ("above", False)])
def test_nothing_after_nothing_breaks_a_limit_that_may_be_reached_only(comparison, fires):
    baseline = Baseline(of="median", over=100.0)
    limits = (relative_limit(comparison, "+20%"),)
    world = World(Rule(name="r", metric="m", strategy="floating", baseline=baseline, limits=limits))
    world.take([(Series("m"), number * STEP, 0.0) for number in range(10)])
    assert bool(world.at(90.0)[0]) is fires


def test_thousands_of_series_in_several_blocks_agree_with_the_core():
    count = 4200
    rng = np.random.default_rng(3)
    series = [Series("m", (("n", f"{number:04}"),)) for number in range(count)]
    found = [
        Rule(name="a", metric="m", limits=(Limit("above", 27.0),), recover=24.0, keep_firing=20.0),
        Rule(
            name="b",
            metric="m",
            strategy="floating",
            baseline=Baseline(of="median", over=50.0),
            limits=(relative_limit("above", "+35%"), relative_limit("below", "-35%")),
        ),
        Rule(
            name="c",
            metric="m",
            strategy="period",
            average=20.0,
            compare=(40.0,),
            limits=(relative_limit("above", "+30%"),),
        ),
    ]
    head = Head(needs(found, step=STEP))
    by_arrays = [Evaluation(rule, head, STEP) for rule in found]
    cores = [evaluation.Evaluation(rule, STEP) for rule in found]
    values = np.round(rng.normal(20, 4, (6, count)) * 4) / 4
    known = {each: ([], []) for each in series}
    numbers = np.arange(count)
    for at in range(6):
        here = rng.random(count) > 0.05
        times = np.where(here, at * STEP, at * STEP - 7.0)[here]
        head.take_frame(
            Frame(numbers[here] + 10, times, values[at][here]), lambda new: {n: series[n - 10] for n in new}
        )
        for number in np.flatnonzero(here):
            known[series[number]][0].append(at * STEP)
            known[series[number]][1].append(float(values[at][number]))
        history = {each: points(zip(*columns, strict=True)) for each, columns in known.items() if columns[0]}
        for arrays, core in zip(by_arrays, cores, strict=True):
            arrays.at(at * STEP)
            arrays.settle()
            core.settle(list(core.at(at * STEP, history)))
            assert arrays.states() == {each: state for each, state in core.states.items() if state != RuleState()}
    assert all(unsettled(each.states()) for each in by_arrays)


def test_a_plug_in_is_asked_series_by_series():
    class Own:
        spans = staticmethod(fixed.spans)
        judge = staticmethod(fixed.judge)

    rule = Rule(name="r", metric="m", strategy="own", limits=(Limit("above", 5.0),))
    head = Head(needs([rule], {"own": Own}))
    own = Evaluation(rule, head, STEP, {"own": Own})
    head.take([Sample("m", (("n", name),), 10.0, value) for name, value in (("a", 4.0), ("b", 6.0))])
    [found] = own.at(10.0)
    assert (found.series.labels, found.condition.sentence) == ((("n", "b"),), "6 > 5")


def test_what_fires_is_kept_though_its_series_has_ended_and_the_row_is_given_to_no_other():
    rule = Rule(name="r", metric="m", limits=(Limit("above", 5.0),), nodata_after=0.0)
    world = World(rule)
    mail, pdf = Series("m", (("q", "mail"),)), Series("m", (("q", "pdf"),))
    world.take([(mail, 0.0, 9.0), (pdf, 0.0, 1.0)])
    for now in instants(0.0, 200.0, STEP):
        assert [state.phase for state in world.at(now)[0].values()] == [Phase.FIRING]
    new = Series("m", (("q", "new"),))
    world.take([(new, 210.0, 1.0)])
    assert world.at(210.0)[0].keys() == {mail}


def test_of_samples_at_one_time_the_last_taken_wins():
    world = World(Rule(name="r", metric="m", aggregate="sum", over=30.0, limits=(Limit("above", 60.0),)))
    m = Series("m")
    world.take([(m, 0.0, 9.0), (m, 10.0, 9.0), (m, 10.0, 50.0), (m, 0.0, 1.0)])
    assert not world.at(10.0)[0]
    world.take([(m, 10.0, 60.0)])
    assert world.at(10.0)[1][0].condition.value == 61.0
    world.take([(m, 0.0, 0.0)])
    assert not world.at(10.0)[0]


def test_while_firing_recover_takes_the_place_of_the_limit():
    world = World(Rule(name="r", metric="m", limits=(Limit("above", 5.0),), recover=3.0))
    phases = []
    for number, value in enumerate((4.0, 6.0, 4.0, 3.0)):
        world.take([(Series("m"), number * STEP, value)])
        phases.append(len(world.at(number * STEP)[0]))
    assert phases == [0, 1, 1, 0]


def test_a_finding_tells_what_the_core_would():
    world = World(Rule(name="r", metric="m", limits=(Limit("above", 5.0),)))
    world.take([(Series("m"), 0.0, 9.0)])
    _, [found] = world.at(0.0)
    assert (found.condition.value, found.condition.bound, found.condition.sentence) == (9.0, 5.0, "9 > 5")
    assert found.opens
