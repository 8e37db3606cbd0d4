"""Rules over histories: the core against a second, naive writing of the specification."""

from hypothesis import given, settings
from hypothesis import strategies as st

from nightowl.core.condition import Truth
from nightowl.core.evaluation import Evaluation
from nightowl.core.limits import Limit, relative_limit
from nightowl.core.points import points
from nightowl.core.replay import Replay, instants
from nightowl.core.rule import Baseline, Rule
from nightowl.core.rule_state import Phase
from nightowl.core.series import Series
from tests.core import naive_rules
from tests.core.rule_histories import STEP, histories, rules

M = Series("m")


def walked(rule, samples, until=310.0):
    evaluation = Evaluation(rule, STEP)
    known = {M: points(samples)}
    told = []
    for t in instants(0, until, STEP):
        findings = list(evaluation.at(t, known))
        evaluation.settle(findings)
        told += [(found.at, str(found.after.phase)) for found in findings]
    return told


@settings(max_examples=400)
@given(st.data())
def test_the_core_agrees_with_a_naive_reference_at_every_instant(data):
    rule = data.draw(rules())
    samples = data.draw(histories(counter=rule.counter))
    assert walked(rule, samples) == naive_rules.phases(rule, samples, instants(0, 310.0, STEP), STEP)


def condition(rule, samples, at, firing=False):
    evaluation = Evaluation(rule, STEP)
    [found] = evaluation.at(at, {M: points(samples)})
    return found.condition


def test_a_floating_limit_leaves_the_instants_own_sample_out_and_says_what_it_is_relative_to():
    rule = Rule(
        name="r",
        metric="m",
        strategy="floating",
        baseline=Baseline(of="median", over=1800.0),
        limits=(relative_limit("above", "+20%"),),
    )
    samples = [(number * 10.0, 100.0) for number in range(180)] + [(1800.0, 500.0)]
    found = condition(rule, samples, 1800.0)
    assert (found.truth, found.value, found.bound, found.score) == (Truth.TRUE, 500.0, 120.0, 20.0)
    assert found.sentence == "500 > 120 = median of the 30 min before + 20 %"


def test_a_period_of_twice_the_value_is_a_growth_of_a_hundred_percent_at_any_scale():
    for scale in (1.0, 1000.0):
        rule = Rule(
            name="r",
            metric="m",
            strategy="period",
            average=10.0,
            compare=(100.0,),
            limits=(relative_limit("at_least", "+100%"),),
        )
        found = condition(rule, [(0.0, 2 * scale), (100.0, 4 * scale)], 100.0)
        assert (found.truth, found.score) == (Truth.TRUE, 1.0)


def test_missing_data_is_unknown_and_says_so():
    rule = Rule(name="r", metric="m", limits=(Limit("above", 1.0),))
    found = condition(rule, [(0.0, 5.0)], 50.0)
    assert (found.truth, found.sentence) == (Truth.UNKNOWN, "no current sample")


QUEUES = {
    Series("sent", (("queue", "a"), ("zone", "1"))): points([(0.0, 5.0), (10.0, 9.0)]),
    Series("sent", (("queue", "a"), ("zone", "2"))): points([(0.0, 1.0), (10.0, 1.0)]),
    Series("sent", (("queue", "b"), ("zone", "1"))): points([(0.0, 2.0)]),
    Series("done", (("queue", "a"), ("zone", "1"))): points([(0.0, 4.0), (10.0, 2.0)]),
}


def combined(**keys):
    rule = Rule(name="r", metric="sent", limits=(Limit("above", 7.0),), **keys)
    evaluation = Evaluation(rule, STEP)
    return {str(found.series): found.condition.value for found in list(evaluation.at(10.0, QUEUES))}


def test_by_makes_one_series_of_all_that_agree_in_its_labels():
    assert combined(by=("queue",)) == {'sent{queue="a"}': 10.0, 'sent{queue="b"}': 2.0}
    assert combined(by=()) == {"sent": 12.0}
    assert combined(by=("queue",), aggregate="max") == {'sent{queue="a"}': 9.0, 'sent{queue="b"}': 2.0}


def test_a_difference_is_known_where_both_sides_are():
    found = combined(difference="done")
    assert found['sent - done{queue="a",zone="1"}'] == 7.0
    assert found['sent - done{queue="b",zone="1"}'] is None
    assert combined(difference="done", by=()) == {"sent - done": 10.0}


def test_a_replay_tells_transitions_and_how_often_it_would_have_paged():
    rule = Rule(name="r", metric="m", limits=(Limit("above", 7.0),), keep_firing=20.0)
    samples = [(0.0, 1.0), (10.0, 9.0), (20.0, 1.0), (30.0, 9.0), (40.0, 1.0), (50.0, 1.0), (60.0, 1.0), (70.0, 9.0)]
    replay = Replay(rule, STEP)
    for now in instants(0.0, 70.0, STEP):
        replay.at(now, {M: points(samples)})
    told = [(step.at, step.before, step.after) for step in replay.transitions[M]]
    assert told == [
        (10.0, Phase.OK, Phase.FIRING),
        (20.0, Phase.FIRING, Phase.RECOVERING),
        (30.0, Phase.RECOVERING, Phase.FIRING),
        (40.0, Phase.FIRING, Phase.RECOVERING),
        (60.0, Phase.RECOVERING, Phase.OK),
        (70.0, Phase.OK, Phase.FIRING),
    ]
    assert replay.pages == 2


def jumps():
    rule = Rule(
        name="r",
        metric="sent",
        by=(),
        strategy="floating",
        baseline=Baseline(of="mean", over=60.0),
        limits=(relative_limit("above", "+50%"),),
    )
    return Evaluation(rule, STEP)


def test_a_combined_series_is_remembered_as_long_as_the_rule_looks_back():
    known = {Series("sent", (("queue", name),)): points([(t * 10.0, 5.0) for t in range(500)]) for name in "ab"}
    evaluation = jumps()
    for t in instants(0.0, 4990.0, STEP):
        evaluation.settle(list(evaluation.at(t, known)))
    [(times, _)] = evaluation._made.values()
    assert len(times) <= 8


def test_what_a_combined_series_was_is_made_again_after_a_restart():
    known = {Series("sent", (("queue", "a"),)): points([(t * 10.0, 9.0 if t == 50 else 5.0) for t in range(51)])}
    evaluation = jumps()
    [before] = evaluation.at(500.0, known)
    assert before.condition.truth is Truth.UNKNOWN
    evaluation = jumps()
    evaluation.recall(500.0, known)
    [after] = evaluation.at(500.0, known)
    assert (after.condition.truth, after.condition.bound) == (Truth.TRUE, 7.5)
