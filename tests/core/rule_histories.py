"""Random rules and histories for property tests.

Values are quarters, so that sums are exact and no two ways of adding differ at a limit.
"""

from __future__ import annotations

import math

from hypothesis import strategies as st

from nightowl.core.limits import Limit
from nightowl.core.rule import Baseline, Rule

STEP = 10.0
QUARTERS = st.integers(-40, 40).map(lambda number: number / 4)
SPANS = st.sampled_from([5.0, 10.0, 20.0, 30.0, 45.0, 60.0])
POLICIES = st.fixed_dictionaries(
    {
        "for_": st.sampled_from([0.0, 10.0, 25.0]),
        "keep_firing": st.sampled_from([0.0, 15.0, 20.0]),
        "nodata": st.sampled_from(["keep", "ok", "alert", "nodata"]),
        "nodata_after": st.sampled_from([0.0, 20.0]),
    }
)


@st.composite
def histories(draw, counter=False):
    """(time, value) in order of arrival: gaps, doubled, late and missing samples, resets of a counter."""
    times = draw(st.lists(st.integers(0, 60).map(lambda number: number * 5.0), min_size=1, max_size=40))
    values = st.integers(0, 12).map(float) if counter else QUARTERS
    wild = st.sampled_from([math.nan, math.inf, -math.inf])
    return [(time, draw(st.one_of(values, values, values, values, wild))) for time in times]


@st.composite
def limits(draw, units):
    """One limit, or a band."""

    def one(comparison, amount):
        unit = draw(st.sampled_from(units))
        return Limit(comparison, amount, relative=unit != "number", unit="" if unit == "number" else unit)

    if draw(st.booleans()):
        return (one("above", abs(draw(QUARTERS))), one("below", -abs(draw(QUARTERS))))
    names = ["above", "below", "at_least", "at_most", *(["equals", "not_equals"] if units == ["number"] else [])]
    return (one(draw(st.sampled_from(names)), draw(QUARTERS)),)


@st.composite
def rules(draw):
    """A rule of any strategy that the configuration would take."""
    counter = draw(st.booleans())
    keys = draw(POLICIES) | {"name": "r", "metric": "m", "counter": counter, "min_points": draw(st.integers(1, 3))}
    keys["stale"] = draw(st.none() | SPANS)
    strategy = keys["strategy"] = draw(st.sampled_from(["fixed", "floating", "period", "absent"]))
    if strategy in ("fixed", "floating") and draw(st.booleans()):
        keys["over"] = draw(SPANS)
        if not counter:
            keys["aggregate"] = draw(st.sampled_from(["mean", "median", "last", "min", "max", "sum", "count"]))
    if strategy == "fixed":
        keys["limits"] = draw(limits(["number"]))
        if len(keys["limits"]) == 1 and keys["limits"][0].comparison in ("above", "below", "at_least", "at_most"):
            keys["recover"] = draw(st.none() | QUARTERS)
    elif strategy == "floating":
        keys["limits"] = draw(limits(["", "%"] if counter else ["", "%", "sigma"]))
        of = draw(st.sampled_from(["mean", "median", "last"]))
        keys["baseline"] = Baseline(of=of, over=draw(SPANS), gap=draw(st.none() | SPANS))
    elif strategy == "period":
        keys["limits"] = draw(limits(["%"]))
        keys["average"] = draw(SPANS)
        keys["compare"] = tuple(draw(st.lists(SPANS, min_size=1, max_size=2, unique=True)))
        keys["min_base"] = draw(st.sampled_from([0.0, 0.5]))
        keys["on_zero"] = draw(st.sampled_from(["unknown", "ok", "breach_if_changed"]))
    return Rule(**keys)
