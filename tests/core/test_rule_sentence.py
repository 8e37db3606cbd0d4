"""What rules say of themselves."""

import pytest

from nightowl.core.limits import Limit, relative_limit
from nightowl.core.rule import Baseline, Rule
from nightowl.core.rule_sentence import sentence

HIGH = (Limit("above", 1000.0),)
MEDIAN = Baseline(over=1800.0)


def rule(**keys):
    return Rule(name="r", **{"metric": "m", **keys})


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"metric": "celery_queue_length", "where": {"queue_name": "emails"}, "recover": 500.0, "for_": 300.0},
            "celery_queue_length where queue_name=emails above 1000, recovers at 500, for 5 min",
        ),
        ({"limits": (Limit("above", 10.0), Limit("below", 2.5))}, "m above 10 or below 2.5"),
        (
            {"limits": (Limit("not_equals", 0.0),), "where": {"a": "x*", "b": "1"}},
            "m where a=x* and b=1 not equal to 0",
        ),
        ({"aggregate": "median", "over": 90.0}, "median of m over 90 s above 1000"),
        ({"counter": True, "over": 60.0}, "rate of m a second over 1 min above 1000"),
        ({"by": ("check", "location")}, "sum of m by check and location above 1000"),
        ({"by": (), "aggregate": "max"}, "max of m of all series together above 1000"),
        ({"difference": "n", "keep_firing": 60.0}, "m minus n above 1000, kept firing for 1 min"),
        ({"nodata": "nodata"}, "m above 1000, a warning after 5 min without data"),
        ({"nodata": "alert"}, "m above 1000, no data counts as a breach"),
        ({"strategy": "martian"}, "m by the strategy martian above 1000"),
    ],
)
def test_a_rule_is_said_in_one_line(keys, said):
    assert sentence(rule(**{"limits": HIGH, **keys})) == said


@pytest.mark.parametrize(
    ("comparison", "amount", "said"),
    [
        ("above", "+20%", "more than 20 % above"),
        ("at_least", "+3 sigma", "at least 3 sigma above"),
        ("below", "-10", "more than 10 below"),
        ("at_most", "-10", "at least 10 below"),
        ("above", "-5", "less than 5 below"),
        ("at_most", "+5", "at most 5 above"),
        ("below", "-0", "more than 0 below"),
    ],
)
def test_a_floating_limit_is_said_as_a_way_from_its_baseline(comparison, amount, said):
    floating = rule(strategy="floating", baseline=MEDIAN, limits=(relative_limit(comparison, amount),))
    assert sentence(floating) == f"m {said} the median of the 30 min before"


def test_a_change_since_several_periods_must_hold_for_each():
    limits = (relative_limit("above", "+40%"), relative_limit("below", "-30%"))
    weekly = rule(strategy="period", average=600.0, compare=(86400.0, 604800.0), limits=limits)
    change = "more than 40 % above or more than 30 % below"
    assert sentence(weekly) == f"mean of m over 10 min {change} that of 1 d ago and also of 7 d ago"


@pytest.mark.parametrize(("over", "span"), [(600.0, "10 min"), (None, "50 s")])
def test_absence_is_said_with_the_span_that_it_takes(over, span):
    assert sentence(rule(strategy="absent", over=over, where={"job": "b"})) == f"no sample of m where job=b in {span}"
