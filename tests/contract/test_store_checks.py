"""Definitions of checks, and the lists that show them."""

from __future__ import annotations

import pytest
from sqlalchemy.event import listen

from nightowl.adapters.store_sql import open_store
from nightowl.core.values import CheckState, State
from nightowl.ports import CheckFilter, Store, StoredCheck


def check(name: str, *, paused: bool = False, **spec: object) -> StoredCheck:
    return StoredCheck(name=name, origin="stored", paused=paused, spec={"url": f"http://{name}/", **spec}, changed=1.5)


def put(store: Store, *checks: StoredCheck) -> None:
    with store.transaction() as unit:
        for item in checks:
            unit.checks.put(item)


def names_of_all(store: Store) -> list[str]:
    with store.read() as unit:
        return [item.name for item in unit.checks.all()]


def stand(store: Store, **states: State) -> None:
    with store.transaction() as unit:
        unit.rounds.close([], [CheckState(check=name, verdict=state) for name, state in states.items()])


def names(store: Store, **wanted: str) -> list[str]:
    with store.read() as unit:
        page = unit.checks.page(CheckFilter(**wanted), 0, 100)
    assert page.total == len(page.rows)
    return [row.check.name for row in page.rows]


def feed(store: Store) -> list[tuple[str, str]]:
    with store.read() as unit:
        return [(item.kind, item.subject) for item in unit.feed.after(0, 100)]


def test_what_was_put_comes_back_by_name(store: Store) -> None:
    shop = check("Ünïcode 🦉", expect={"status": ["200-299"]}, every="30s", tags={"team": "shop"})
    put(store, check("b"), shop, check("B"))
    with store.read() as unit:
        assert unit.checks.get("Ünïcode 🦉") == shop
        assert unit.checks.get("c") is None
        assert [item.name for item in unit.checks.all()] == ["B", "b", "Ünïcode 🦉"]


def test_a_check_that_differs_in_nothing_but_its_moment_writes_nothing(store: Store) -> None:
    put(store, check("shop"))
    put(store, StoredCheck(name="shop", origin="stored", paused=False, spec={"url": "http://shop/"}, changed=9.0))
    with store.read() as unit:
        assert unit.checks.get("shop") == check("shop")
    assert feed(store) == [("check", "shop")]


def test_putting_again_replaces_and_tells(store: Store) -> None:
    put(store, check("shop", tags={"team": "shop"}, locations=["london"]))
    put(store, check("shop", tags={"team": "cart"}, locations=["paris"]))
    assert names(store, tag="team=cart", location="paris") == ["shop"]
    assert names(store, tag="team=shop") == []
    assert names(store, location="london") == []
    assert feed(store) == [("check", "shop")] * 2


def test_many_are_put_as_one_by_one(store: Store) -> None:
    put(store, check("shop", tags={"team": "shop"}), check("off", paused=True), check("same"))
    stand(store, shop=State.DOWN)
    with store.transaction() as unit:
        unit.checks.put_many([])
        unit.checks.put_many(
            [check("same"), check("new"), check("shop", every="5s"), check("off"), check("new", locations=["oslo"])]
        )
    assert names(store) == ["shop", "new", "off", "same"]
    assert names(store, tag="team") == []
    assert names(store, location="paris") == ["shop", "off", "same"]
    assert [subject for _, subject in feed(store)] == ["shop", "off", "same", "new", "shop", "off"]


def test_ten_thousand_checks_are_defined_in_few_statements() -> None:
    store = open_store("sqlite://", migrate=True)
    statements: list[str] = []
    listen(store._engines.writer, "before_cursor_execute", lambda *event: statements.append(event[2]))
    with store.transaction() as unit:
        unit.checks.put_many([check(f"shop-{number}", tags={"team": "shop"}) for number in range(10_000)])
    assert len(statements) < 150
    assert len(names_of_all(store)) == 10_000
    store.close()


def test_removing_tells_whether_there_was_one(store: Store) -> None:
    put(store, check("shop", tags={"team": "shop"}))
    with store.transaction() as unit:
        assert unit.checks.remove("shop")
        assert not unit.checks.remove("shop")
        assert not unit.checks.remove("never")
    assert names(store) == []
    assert feed(store) == [("check", "shop")] * 2


def test_lists_show_the_worst_first(store: Store) -> None:
    put(store, *(check(name) for name in ("ok", "new", "bad", "slow", "lost", "also-bad")), check("off", paused=True))
    stand(store, ok=State.UP, bad=State.DOWN, slow=State.DEGRADED, lost=State.UNKNOWN, off=State.DOWN)
    stand(store, **{"also-bad": State.DOWN})
    assert names(store) == ["also-bad", "bad", "slow", "lost", "new", "ok", "off"]
    with store.read() as unit:
        assert unit.checks.counts() == {"down": 2, "degraded": 1, "unknown": 1, "new": 1, "up": 1, "paused": 1}


def test_a_check_that_is_no_longer_paused_stands_where_it_stood(store: Store) -> None:
    put(store, check("off", paused=True), check("fresh", paused=True))
    stand(store, off=State.DOWN)
    put(store, check("off"), check("fresh"))
    assert names(store, state="down") == ["off"]
    assert names(store, state="new") == ["fresh"]


def test_a_page_has_some_rows_with_their_states_and_counts_all(store: Store) -> None:
    put(store, *(check(f"shop-{number:02}") for number in range(30)))
    stand(store, **{"shop-11": State.UP})
    with store.read() as unit:
        page = unit.checks.page(CheckFilter(text="shop"), 28, 10)
    assert page.total == 30
    assert [(row.check.name, row.state) for row in page.rows] == [
        ("shop-29", None),
        ("shop-11", CheckState(check="shop-11", verdict=State.UP)),
    ]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"text": "SHOP"}, ["shop"]),
        ({"text": "http://c"}, ["cart_1"]),
        ({"text": "_"}, ["cart_1"]),
        ({"text": "%"}, ["50%"]),
        ({"text": "!"}, []),
        ({"tag": "team"}, ["50%", "shop"]),
        ({"tag": "team=web"}, ["50%"]),
        ({"tag": "team="}, []),
        ({"location": "london"}, ["50%", "shop"]),
        ({"location": "paris"}, ["50%", "cart_1"]),
        ({"state": "new", "tag": "team", "location": "london", "text": "o"}, ["shop"]),
        ({"state": "no such state"}, []),
    ],
)
def test_filters_narrow_a_list(store: Store, wanted: dict[str, str], found: list[str]) -> None:
    put(
        store,
        check("shop", tags={"team": "shop"}, locations=["london"]),
        check("cart_1", locations=["paris"]),
        check("50%", tags={"team": "web"}, url="tcp://web"),
    )
    assert names(store, **wanted) == found
