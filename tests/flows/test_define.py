"""What files define, in the store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from nightowl.core.values import User
from nightowl.flows.define import define
from nightowl.ports import AuditFilter, Store, StoredCheck, StoredRule
from nightowl.testing.store import memory_store


@pytest.fixture
def store() -> Iterator[Store]:
    opened = memory_store()
    yield opened
    opened.close()


def checks(store: Store) -> dict[str, StoredCheck]:
    with store.read() as unit:
        return {check.name: check for check in unit.checks.all()}


def put(store: Store, check: StoredCheck) -> None:
    with store.transaction() as unit:
        unit.checks.put(check)


SHOP = {"url": "http://shop.example/"}


def plain(_name, spec):
    return dict(spec)


def marked(_name, spec):
    return {**spec, "body": "sealed"}


def test_checks_come_change_and_go_with_the_file(store: Store) -> None:
    define(store, {"shop": SHOP, "blog": SHOP}, [], 1.0, seal=plain)
    define(store, {"shop": {**SHOP, "every": "5m"}}, [], 2.0, seal=plain)
    assert {name: check.spec for name, check in checks(store).items()} == {"shop": {**SHOP, "every": "5m"}}


def test_what_was_made_by_hand_stays_unless_a_file_takes_the_name(store: Store) -> None:
    put(store, StoredCheck(name="mine", origin="stored", paused=False, spec=SHOP))
    define(store, {}, [], 1.0, seal=plain)
    assert checks(store)["mine"].origin == "stored"
    define(store, {"mine": SHOP}, [], 2.0, seal=plain)
    assert checks(store)["mine"].origin == "file"


def test_what_was_stored_unsealed_is_sealed(store: Store) -> None:
    put(store, StoredCheck(name="mine", origin="stored", paused=True, spec=SHOP))
    define(store, {"shop": SHOP}, [], 1.0, seal=marked)
    assert {check.spec["body"] for check in checks(store).values()} == {"sealed"}
    assert checks(store)["mine"].paused


def test_a_pause_by_hand_outlives_a_reload(store: Store) -> None:
    define(store, {"shop": SHOP}, [], 1.0, seal=plain)
    put(store, StoredCheck(name="shop", origin="file", paused=True, spec=SHOP))
    define(store, {"shop": SHOP}, [], 2.0, seal=plain)
    assert checks(store)["shop"].paused


def test_a_pause_in_the_file_ends_with_the_file(store: Store) -> None:
    define(store, {"shop": {**SHOP, "paused": True}}, [], 1.0, seal=plain)
    assert checks(store)["shop"].paused
    define(store, {"shop": SHOP}, [], 2.0, seal=plain)
    assert not checks(store)["shop"].paused


def test_nothing_is_written_where_nothing_changed(store: Store) -> None:
    define(store, {"shop": SHOP}, [], 1.0, seal=plain)
    with store.read() as unit:
        last = unit.feed.last()
    define(store, {"shop": SHOP}, [], 2.0, seal=plain)
    with store.read() as unit:
        assert unit.feed.last() == last


def told(store: Store) -> list[str]:
    with store.read() as unit:
        entries, _ = unit.audit.page(AuditFilter(what="configuration.define"), 0, 10)
    assert {entry.author.kind for entry in entries} <= {"file"}
    return [entry.detail for entry in reversed(entries)]


def test_what_a_file_changes_is_written_to_the_audit_in_one_entry(store: Store) -> None:
    anna = User(name="anna", role="viewer", password_hash="$argon2", origin="file")
    define(store, {"shop": SHOP, "blog": SHOP}, [anna], 1.0, seal=plain)
    define(store, {"shop": {**SHOP, "every": "5m"}}, [replace(anna, role="admin")], 2.0, seal=plain)
    define(store, {"shop": {**SHOP, "every": "5m"}}, [replace(anna, role="admin")], 3.0, seal=plain)
    define(store, {"shop": {**SHOP, "every": "5m"}} | {f"many-{n}": SHOP for n in range(30)}, [], 4.0, seal=plain)
    first, second, third = told(store)
    assert first == "checks added: shop, blog\nusers added: anna"
    assert second == "checks changed: shop\nchecks removed: blog\nusers changed: anna"
    assert third.startswith("checks added: many-0, many-1, ")
    assert third.endswith(" and 10 more\nusers removed: anna")


def test_users_of_files_come_and_go_and_others_stay(store: Store) -> None:
    with store.transaction() as unit:
        unit.users.put(User(name="bob", role="viewer", password_hash="$argon2"))
    define(store, {}, [User(name="alice", role="admin", password_hash="$argon2", origin="file")], 1.0, seal=plain)
    with store.read() as unit:
        assert [user.name for user in unit.users.all()] == ["alice", "bob"]
    define(store, {}, [], 2.0, seal=plain)
    with store.read() as unit:
        assert [user.name for user in unit.users.all()] == ["bob"]


def test_rules_of_files_are_in_the_store_as_written_and_go_with_their_files(store: Store) -> None:
    mine = StoredRule(name="mine", origin="stored", spec={"metric": "m", "above": 1})
    with store.transaction() as unit:
        unit.rule_definitions.put([mine])
    define(store, {}, [], 1.0, seal=plain, rules={"slow": {"metric": "m", "above": 2}, "old": {"metric": "o"}})
    define(store, {}, [], 2.0, seal=plain, rules={"slow": {"metric": "m", "above": 3}})
    with store.read() as unit:
        found = {rule.name: (rule.origin, rule.spec.get("above")) for rule in unit.rule_definitions.all()}
        last = unit.audit.page(AuditFilter(), 0, 1)[0][0]
    assert found == {"mine": ("stored", 1), "slow": ("file", 3)}
    assert last.detail == "rules changed: slow\nrules removed: old"
