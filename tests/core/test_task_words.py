"""Words of tasks, and what is asked for."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nightowl.core.cluster.words import LONGEST, Wanted, uncut, wanted, words

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


@given(st.text(st.characters(exclude_categories=[]) | st.sampled_from("aZ_0 ;,.'\x00éÄǅİ"), max_size=60))
@example("Grüße, " * 3)
@example("ü" * 21 + "a")
def test_a_text_that_need_not_be_cut_has_the_same_words_for_who_knows_ascii_alone(text: str) -> None:
    found = uncut(text)
    if found is not None:
        assert " ".join(re.findall(r"[a-z0-9_\x80-\U0010ffff]+", found)) == words([text])
    else:
        assert not text.isascii() or max(map(len, words([text]).split())) == LONGEST


def test_words_of_languages_beyond_ascii_need_not_be_cut() -> None:
    assert uncut("{'city': 'Köln', 'name': 'Ивáн'}") == "{'city': 'köln', 'name': 'ивáн'}"
