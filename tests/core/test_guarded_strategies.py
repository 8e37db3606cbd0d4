"""Strategies of plug-ins: whatever they do, the rule is unknown and says why, and the others go on."""

import math

import numpy as np
import pytest

from nightowl.core.condition import Condition, Truth
from nightowl.core.evaluation import Evaluation, spans_of
from nightowl.core.points import points
from nightowl.core.rule import Rule
from nightowl.core.series import Series
from nightowl.core.strategies import Span
from nightowl.core.strategies.guarded import LONGEST_SENTENCE, Guarded

RULE = Rule(name="r", metric="m", strategy="own", parameters={"times": 3})
TRUE = Condition(truth=Truth.TRUE, value=1.0, sentence="so it is")


class Own:
    """A plug-in that does what it is told to do."""

    def __init__(self, spans=((60.0, 0.0),), judged=TRUE):
        self._spans = spans
        self._judged = judged

    def spans(self, rule, step):
        return self._spans(rule) if callable(self._spans) else self._spans

    def judge(self, rule, windows, *, firing):
        return self._judged(rule, windows, firing) if callable(self._judged) else self._judged


def fail(*_):
    raise ZeroDivisionError("division by zero")


def evaluated(strategy, told=None):
    """What a rule by this strategy finds in two samples."""
    told = [] if told is None else told
    strategies = {
        "own": Guarded("own", lambda: strategy() if callable(strategy) else strategy, lambda *e: told.append(e))
    }
    [found] = Evaluation(RULE, 10.0, strategies).at(20.0, {Series("m"): points([(10.0, 1.0), (20.0, 2.0)])})
    return found.condition


def test_a_plug_in_gets_its_windows_its_parameters_and_whether_it_fires():
    def judged(rule, windows, firing):
        [window] = windows
        return Condition(truth=Truth.FALSE, value=sum(window.values) * rule.parameters["times"], sentence=str(firing))

    assert evaluated(Own(judged=judged)) == Condition(truth=Truth.FALSE, value=9.0, sentence="False")


@pytest.mark.parametrize(
    ("strategy", "why"),
    [
        (Own(judged=fail), "ZeroDivisionError: division by zero"),
        (Own(spans=fail), "ZeroDivisionError: division by zero"),
        (fail, "ZeroDivisionError: division by zero"),
        (object(), "AttributeError: 'object' object has no attribute 'spans'"),
        (Own(judged=True), "TypeError: judge() returned bool, not a Condition"),
        (Own(judged=None), "TypeError: judge() returned NoneType, not a Condition"),
        (Own(judged=Condition(truth=True)), "TypeError: the truth of its Condition is bool, not a Truth"),
        (Own(judged=Condition(truth=Truth.TRUE, value=math.nan)), "the value of its Condition is nan, not a finite"),
        (Own(judged=Condition(truth=Truth.TRUE, score="7")), "the score of its Condition is '7', not a finite number"),
        (Own(spans=()), "ValueError: spans() returned no window"),
        (Own(spans=None), "TypeError: 'NoneType' object is not iterable"),
        (Own(spans=[Span(10.0, 20.0)]), "ValueError: spans() returned a window from 10 to 20 seconds ago"),
        (Own(spans=[Span(10.0, -5.0)]), "ValueError: spans() returned a window from 10 to -5 seconds ago"),
        (Own(spans=[Span(math.inf)]), "ValueError: spans() returned a window from inf to 0 seconds ago"),
        (Own(spans=[Span(math.nan)]), "ValueError: spans() returned a window from nan to 0 seconds ago"),
    ],
)
def test_what_a_plug_in_does_wrong_is_unknown_with_the_reason(strategy, why):
    found = evaluated(strategy)
    assert found.truth is Truth.UNKNOWN
    assert found.sentence.startswith("the strategy own failed: ")
    assert why in found.sentence


def test_a_fault_is_told_once_for_each_rule():
    told = []
    strategy = Guarded("own", lambda: Own(judged=fail), lambda *each: told.append(each))
    for name in ("a", "a", "b", "a"):
        strategy.judge(Rule(name=name, metric="m"), [points([])], firing=False)
    assert [(rule, str(error)) for rule, _, error in told] == [("a", "division by zero"), ("b", "division by zero")]


def test_a_plug_in_is_loaded_once_also_where_that_fails():
    tried = []

    def load():
        tried.append(1)
        raise OSError("no such library")

    strategy = Guarded("own", load, lambda *_: None)
    sentences = {strategy.judge(RULE, [points([])], firing=False).sentence for _ in range(3)}
    assert sentences == {"the strategy own failed: ImportError: OSError: no such library"}
    assert len(tried) == 1


def test_a_dry_run_of_a_rule_of_the_same_name_does_not_disturb_the_one_in_force():
    strategies = {
        "own": Guarded("own", lambda: Own(spans=lambda rule: [Span(rule.parameters["over"])]), lambda *_: None)
    }
    rules = [Rule(name="r", metric="m", strategy="own", parameters=each) for each in ({"over": 60}, {})]
    evaluations = [Evaluation(rule, 10.0, strategies) for rule in rules]
    known = {Series("m"): points([(10.0, 1.0)])}
    for _ in range(2):
        truths = [found.condition.truth for each in evaluations for found in each.at(20.0, known)]
        assert truths == [Truth.TRUE, Truth.UNKNOWN]


def test_figures_of_numpy_become_plain_and_a_sentence_one_bounded_line():
    found = evaluated(
        Own(judged=Condition(truth=Truth.TRUE, value=np.float64(1), score=np.float32(2), sentence="a\nb" * 999))
    )
    assert (type(found.value), type(found.score)) == (float, float)
    assert found.sentence.startswith("a ba b")
    assert len(found.sentence) == LONGEST_SENTENCE


def test_what_is_kept_for_a_plug_in_is_what_it_asks_for():
    strategies = {"own": Guarded("own", lambda: Own(spans=[Span(7000.0), Span(90_000.0, 86_400.0)]), print)}
    assert spans_of([RULE], strategies)["m"] == 90_000.0 + RULE.nodata_after + 10.0
    broken = {"own": Guarded("own", lambda: Own(spans=fail), lambda *_: None)}
    assert spans_of([RULE], broken)["m"] == 50.0 + RULE.nodata_after + 10.0
