"""Words of tasks, and what is asked for."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.cluster.words import LONGEST, Wanted, wanted, words

TEXTS = st.text(st.characters(exclude_categories=[]) | st.sampled_from("aZ_0 ;,.'\x00é"), max_size=60)


def test_words_are_letters_digits_and_underscores_in_lower_case() -> None:
    assert words(["{'order_id': 4711}", None, "", "Café-3.14\n"]) == "order_id 4711 café 3 14"


@given(st.lists(st.none() | TEXTS, max_size=4))
def test_words_are_what_a_plain_pattern_finds(texts: list[str | None]) -> None:
    found = re.findall(r"\w+", " ".join(text for text in texts if text).lower())
    assert words(texts).split(" ") == [word.encode()[:LONGEST].decode(errors="ignore") for word in found] or not found


@given(TEXTS)
def test_any_word_of_a_text_is_asked_for_as_it_was_found(text: str) -> None:
    found = words([text]).split()
    for word in found:
        assert wanted([word]) == Wanted((word,))


@given(st.lists(TEXTS, max_size=3))
def test_no_question_is_a_mistake(texts: list[str]) -> None:
    asked = wanted(texts)
    assert all(re.fullmatch(r"\w+", word) for word in asked.whole)
    assert bool(asked) == bool(asked.whole or asked.beginning)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], Wanted(())),
        (["*", " - "], Wanted(())),
        (["Time*"], Wanted((), "time")),
        (["no", "ans*"], Wanted(("no",), "ans")),
        (["no*", "answer"], Wanted(("no", "answer"))),
        (["foo-bar*"], Wanted(("foo",), "bar")),
        (["ab*"], Wanted(("ab",))),
        (["a", "a", "A"], Wanted(("a",))),
        (["x" * 90 + "*"], Wanted((), "x" * LONGEST)),
    ],
)
def test_what_is_asked_for(texts: list[str], expected: Wanted) -> None:
    assert wanted(texts) == expected
