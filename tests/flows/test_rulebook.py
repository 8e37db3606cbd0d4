"""The rules in force: of the configuration and of the store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nightowl.config import rule_from_spec
from nightowl.core.limits import Limit
from nightowl.core.rule import Rule
from nightowl.flows.rulebook import RuleBook
from nightowl.ports import Store, StoredRule
from nightowl.testing.store import memory_store

FILE = {"slow": Rule(name="slow", metric="m", limits=(Limit("above", 5.0),))}


@pytest.fixture
def store() -> Iterator[Store]:
    opened = memory_store()
    yield opened
    opened.close()


def put(store: Store, name: str, origin: str = "stored", **spec: object) -> None:
    with store.transaction() as unit:
        unit.rule_definitions.put([StoredRule(name=name, origin=origin, spec=spec)])  # type: ignore[arg-type]


def loaded(store: Store, book: RuleBook, configured: dict[str, Rule]) -> RuleBook:
    with store.read() as unit:
        book.load(unit, configured)
    return book


@pytest.fixture
def book() -> RuleBook:
    return RuleBook(lambda stored: rule_from_spec(stored.name, stored.spec))


def test_stored_rules_come_beside_those_of_the_configuration_whose_names_win(store: Store, book: RuleBook) -> None:
    put(store, "slow", metric="mine", above=1)
    put(store, "made", metric="made", above=1)
    put(store, "gone", origin="file", metric="gone", above=1)
    rules = loaded(store, book, FILE).rules
    assert {name: rule.metric for name, rule in rules.items()} == {"slow": "m", "made": "made"}


def test_what_cannot_be_compiled_is_told_and_the_others_go_on(store: Store, book: RuleBook) -> None:
    put(store, "bad", metric="m")
    put(store, "made", metric="made", above=1)
    assert list(loaded(store, book, {}).rules) == ["made"]
    assert "rule.bad.above" in book.broken["bad"]
    put(store, "bad", metric="m", above=1)
    assert not loaded(store, book, {}).broken


def test_the_rules_are_the_same_object_while_nothing_differs(store: Store, book: RuleBook) -> None:
    put(store, "made", metric="made", above=1)
    first = loaded(store, book, FILE).rules
    assert loaded(store, book, dict(FILE)).rules is first
    put(store, "made", metric="made", above=2)
    second = loaded(store, book, FILE).rules
    assert second is not first
    assert second["made"].limits == (Limit("above", 2.0),)


def test_a_look_is_needed_where_something_changed(store: Store, book: RuleBook) -> None:
    loaded(store, book, FILE)
    assert not book.needs([], FILE)
    assert book.needs(["made"], FILE)
    assert book.needs([], dict(FILE))
