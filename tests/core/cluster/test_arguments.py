"""Arguments read back from the text that Celery makes of them."""

from __future__ import annotations

from typing import Any

import pytest
from celery.utils.saferepr import saferepr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nightowl.core.cluster.arguments import exact_arguments
from nightowl.core.errors import Refused

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@settings(max_examples=50)
@given(st.lists(VALUES, max_size=4), st.dictionaries(st.text(max_size=10), VALUES, max_size=3))
@example(["it's", "a\\nb", "a\nb", "\r", "...", "b'x'"], {"a'b": [1, {"c": None}]})
@example([[[[["deep"]]]]], {})
@example(["x" * 2000], {})
@example(["\\'"], {"\\": "'"})
def test_what_is_read_is_what_was_sent(args: list[Any], kwargs: dict[str, Any]) -> None:
    try:
        read = exact_arguments(saferepr(tuple(args), 1024), saferepr(kwargs, 1024))
    except Refused:
        return
    assert read == (args, kwargs)
    assert repr(read) == repr((args, kwargs))


@given(st.text(alphabet="()[]{},:'\\\" 0123456789-+.*~eTrueNonFalsejx\n", max_size=60))
@example("(" * 60_000)
@example("-" * 60_000 + "1")
@example("1" + "+1" * 30_000)
@example("9" * 60_000)
def test_whatever_a_text_holds_it_is_read_or_refused(text: str) -> None:
    try:
        args, kwargs = exact_arguments(text, "{}")
    except Refused:
        return
    assert isinstance(args, list)
    assert kwargs == {}


def test_usual_arguments_are_read() -> None:
    text = saferepr((1, -2.5e-07, "it's", [None, True], {"a": {"b": "c"}}), 1024)
    assert exact_arguments(text, "{'to': 'owl'}") == (
        [1, -2.5e-07, "it's", [None, True], {"a": {"b": "c"}}],
        {"to": "owl"},
    )
    assert exact_arguments("()", "{}") == ([], {})


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (None, "not known"),
        ("('***',)", "redacted"),
        (saferepr(("x" * 2000,), 1024), "cut"),
        (saferepr(([[[[[1]]]]],), 1024), "cut"),
        ("(" * 50 + ")" * 50, "too large"),
        (f"('{'x' * 70_000}',)", "too large"),
        (r"('a\nb',)", "backslash"),
        ("(<object at 0x1>,)", "plain values"),
        ("(b'x',)", "plain values"),
        ("({1, 2},)", "plain values"),
        ("((1, 2),)", "plain values"),
        ("{'a': 1}", "plain values"),
        ("(2 ** 9,)", "plain values"),
        ("({1: 2},)", "plain values"),
    ],
)
def test_what_is_in_doubt_is_refused_with_the_reason(args: str | None, why: str) -> None:
    with pytest.raises(Refused, match=why):
        exact_arguments(args, "{}")
