"""Checks are compiled once, until they or the configuration change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.core.values import Check, Target
from nightowl.flows.checkbook import FEW, CheckBook
from nightowl.ports import Store, StoredCheck
from nightowl.testing.store import memory_store


class Compiler:
    """Notes what it compiled; a check without a URL is a mistake."""

    def __init__(self) -> None:
        self.compiled: list[str] = []

    def __call__(self, stored: StoredCheck) -> Check:
        self.compiled.append(stored.name)
        if "url" not in stored.spec:
            raise ConfigurationError([Mistake(file="", key="url", found="nothing", allowed="a URL")])
        return Check(name=stored.name, target=Target(kind="http", url=stored.spec["url"]), locations=("london",))


@pytest.fixture
def store() -> Iterator[Store]:
    opened = memory_store()
    yield opened
    opened.close()


def put(store: Store, name: str, **spec: str) -> None:
    with store.transaction() as unit:
        unit.checks.put(StoredCheck(name=name, origin="file", paused=False, spec=dict(spec)))


def test_only_what_changed_is_compiled_again(store: Store) -> None:
    compiler, configuration = Compiler(), object()
    book = CheckBook(compiler)
    for name in ("a", "b", "c"):
        put(store, name, url="http://x/")
    with store.read() as unit:
        book.load(unit, configuration)
    compiler.compiled.clear()
    put(store, "b", url="http://y/")
    assert book.needs({"b"}, configuration)
    with store.read() as unit:
        book.follow(unit, {"b"}, configuration)
        book.load(unit, configuration)
    assert compiler.compiled == ["b"]
    assert book.checks["b"].target.url == "http://y/"


def test_another_configuration_compiles_all_of_them(store: Store) -> None:
    compiler = Compiler()
    book = CheckBook(compiler)
    put(store, "a", url="http://x/")
    with store.read() as unit:
        book.load(unit, object())
        changed = object()
        assert book.needs(set(), changed)
        book.follow(unit, set(), changed)
        assert not book.needs(set(), changed)
    assert compiler.compiled == ["a", "a"]


def test_a_check_may_break_be_mended_and_go(store: Store) -> None:
    configuration = object()
    book = CheckBook(Compiler())
    for spec in ({}, {"url": "http://x/"}, {}):
        put(store, "a", **spec)
        with store.read() as unit:
            book.follow(unit, {"a"}, configuration)
        assert ("a" in book.checks, "a" in book.broken) == (bool(spec), not spec)
    with store.transaction() as unit:
        unit.checks.remove("a")
    with store.read() as unit:
        book.follow(unit, {"a"}, configuration)
    assert not book.checks
    assert not book.broken


def test_many_changes_are_read_together(store: Store) -> None:
    configuration = object()
    book = CheckBook(Compiler())
    with store.read() as unit:
        book.load(unit, configuration)
    names = {f"check-{n}" for n in range(FEW + 1)}
    for name in names:
        put(store, name, url="http://x/")
    with store.read() as unit:
        book.follow(unit, names, configuration)
    assert book.checks.keys() == names
