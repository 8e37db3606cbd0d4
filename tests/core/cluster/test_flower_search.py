"""Flower's search language: what it means, and what it refuses in which words."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.cluster.flower_search import SyntaxMistake, parse
from nightowl.core.cluster.task import Task

PAID = Task(
    uuid="7a0c7f0e-1111-4222-8333-944445555666",
    name="shop.tasks.Pay",
    state="SUCCESS",
    worker="celery@Web-1",
    args="(4711, 'Ada Lovelace')",
    kwargs="{'currency': 'EUR', 'amount': 12.5, 'note': \"it's\", 'test': True}",
    result="'paid (in full)'",
)
SENT = Task(uuid="9b0c7f0e-1111-4222-8333-944445555666", name="shop.tasks.mail", state="PENDING")


def finds(query: str, task: Task = PAID) -> bool:
    asked = parse(query)
    return asked is None or asked.matches(task)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "   ",
        "pay",
        "LOVELACE",
        "7a0c7f0e",
        "success",
        "web-1",
        "name:tasks.pay",
        "NAME:shop",
        "state:success",
        "worker:celery@",
        "args:4711",
        'args:"4711, \'Ada L"',
        '"ada lovelace"',
        "kwargs:currency",
        "kwargs:currency=eur",
        "kwargs:amount=12.5",
        "kwargs:test=true",
        "kwargs:note=it's",
        'kwargs:" currency = EUR "',
        "result:paid",
        'result:"\'paid (in"',
        "pay lovelace",
        "pay AND lovelace",
        "nobody OR pay",
        "nobody OR (pay lovelace)",
        "(pay OR nobody) (lovelace OR somebody)",
        "(((((pay)))))",
        "state:success OR state:failure",
        "unknown:thing OR pay",
        "pay and OR pay",
    ],
)
def test_finds(query: str) -> None:
    assert finds(query)


@pytest.mark.parametrize(
    "query",
    [
        "nobody",
        "pay nobody",
        "pay AND nobody",
        "name:lovelace",
        "state:succ",
        "state:failure",
        "state:success state:failure",
        "kwargs:currency=EU",
        "kwargs:urrency=EUR",
        "kwargs:amount=12",
        "kwargs:currency=EUR kwargs:amount=13",
        "result:lovelace",
        "paysuccess",
        "unknown:thing",
        '"AND"',
        "(nobody OR somebody) pay",
    ],
)
def test_does_not_find(query: str) -> None:
    assert not finds(query)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("result:9", "Substring search terms must contain at least 3 characters at position 0."),
        ("pay ab", "Substring search terms must contain at least 3 characters at position 4."),
        ("name:", "Search qualifier requires a value at position 0."),
        ("-pay", "Negation with '-' is not supported at position 0."),
        ("pay NOT mail", "NOT is not supported at position 4."),
        ('pay "mail', "Unterminated quoted phrase at position 4."),
        ('ma"il', "Unterminated quoted phrase at position 0."),
        ('""', "Empty search term at position 0."),
        ("()", "Empty group at position 0."),
        ("(pay", "Missing closing parenthesis at position 0."),
        ("pay)", "Unexpected ')' at position 3."),
        ("pay OR", "OR must be followed by a search term at position 4."),
        ("pay AND AND mail", "AND must be followed by a search term at position 4."),
        ("AND pay", "Expected a search term at position 0."),
        ("((((((pay))))))", "Query nesting exceeds 5 levels at position 5."),
        ("pay " * 129, "Query exceeds 128 tokens."),
        ("a" * 2049, "Query exceeds 2048 characters."),
    ],
)
def test_refuses_in_flowers_words(query: str, said: str) -> None:
    with pytest.raises(SyntaxMistake) as refused:
        parse(query)
    assert str(refused.value) == said


def test_quotes_make_a_word_of_an_operator() -> None:
    assert finds('"AND"', Task(uuid="1", args="('sand',)"))


def test_what_is_not_known_of_a_task_is_empty() -> None:
    assert finds("mail pending", SENT)
    assert not finds("worker:none", SENT)
    assert not finds("kwargs:a=b", SENT)


@pytest.mark.parametrize(
    ("query", "states"),
    [
        ("pay", set()),
        ("state:failure pay", {"FAILURE"}),
        ("state:failure OR state:retry", {"FAILURE", "RETRY"}),
        ("state:failure OR pay", set()),
        ("(state:failure OR state:retry) state:retry", {"RETRY"}),
    ],
)
def test_tells_the_states_that_all_it_finds_are_in(query: str, states: set[str]) -> None:
    asked = parse(query)
    assert asked is not None
    assert asked.states == states


@given(st.text(alphabet='ab\\"() :=-ANDORkwargs', max_size=200))
def test_any_text_is_a_query_or_refused(text: str) -> None:
    with suppress(SyntaxMistake):
        assert finds(text) in (True, False)


@pytest.mark.parametrize("text", ['"' + "\\\\" * 1000, "\\" * 2001 + '"', "a\\" * 1000 + '"', "kwargs:" + "a=" * 1000])
def test_a_hostile_query_takes_no_longer_than_another(text: str) -> None:
    began = time.process_time()
    with suppress(SyntaxMistake):
        finds(text)
    assert time.process_time() - began < 1.0
