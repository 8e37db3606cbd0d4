"""Limits: what breaks them, where they lie, and how far a figure is from them."""

import pytest

from nightowl.core.limits import Limit, relative_limit, score


@pytest.mark.parametrize(
    ("comparison", "broken_by"),
    [
        ("above", [6.0]),
        ("below", [4.0]),
        ("at_least", [5.0, 6.0]),
        ("at_most", [4.0, 5.0]),
        ("equals", [5.0]),
        ("not_equals", [4.0, 6.0]),
    ],
)
def test_comparisons_at_around_and_on_the_bound(comparison, broken_by):
    limit = Limit(comparison, 5.0)
    assert [value for value in (4.0, 5.0, 6.0) if limit.broken(value, 5.0)] == broken_by


@pytest.mark.parametrize(
    ("text", "base", "sigma", "bound"),
    [
        ("+20%", 100.0, 0.0, 120.0),
        ("-20%", 100.0, 0.0, 80.0),
        ("+20%", -100.0, 0.0, -80.0),
        ("-5", 100.0, 0.0, 95.0),
        ("+3 sigma", 100.0, 2.0, 106.0),
        ("-1.5sigma", 100.0, 2.0, 97.0),
        ("+ 10 %", 100.0, 0.0, 110.0),
    ],
)
def test_relative_limits_lie_beside_their_base(text, base, sigma, bound):
    assert relative_limit("above", text).bound(base, sigma) == pytest.approx(bound)


@pytest.mark.parametrize("text", ["20%", "", "+", "+20 percent", "+x", "++1", "+1e3", "+nan", "+20%%"])
def test_other_texts_are_no_relative_limits(text):
    with pytest.raises(ValueError, match="is no relative amount"):
        relative_limit("above", text)


@pytest.mark.parametrize(
    ("limit", "value", "bound", "base", "expected"),
    [
        (Limit("above", 100.0), 150.0, 100.0, 0.0, 1.5),
        (Limit("below", 100.0), 50.0, 100.0, 0.0, 2.0),
        (Limit("below", 100.0), 0.0, 100.0, 0.0, None),
        (relative_limit("above", "+20%"), 140.0, 120.0, 100.0, 2.0),
        (relative_limit("below", "-20%"), 90.0, 80.0, 100.0, 0.5),
        (relative_limit("above", "+3 sigma"), 5.0, 5.0, 5.0, None),
        (Limit("above", 0.0), 5.0, 0.0, 0.0, None),
    ],
)
def test_the_score_is_one_at_the_limit_and_open_ended(limit, value, bound, base, expected):
    assert score(limit, value, bound, base) == expected
