"""Series in a short notation."""

import pytest

from nightowl.core.notation import values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("7", [7.0]),
        ("7x3", [7.0] * 4),
        ("10+5x2 _ -1.5", [10.0, 15.0, 20.0, None, -1.5]),
        ("10-5x2", [10.0, 5.0, 0.0]),
        ("_x2 1e3", [None, None, 1000.0]),
    ],
)
def test_runs_repeats_and_missing_values(text, expected):
    assert values(text) == expected


@pytest.mark.parametrize("text", ["x", "1x", "1+2", "__", "1 y", "nan", "1x1000000", "1e999", "1,2"])
def test_anything_else_is_named(text):
    with pytest.raises(ValueError, match=r"is no value|makes more|too large"):
        values(text)
