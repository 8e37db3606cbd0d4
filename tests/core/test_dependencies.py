from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.dependencies import ancestors, circle
from nightowl.core.rule import Rule
from nightowl.core.telling import Telling, family, of_check, of_rule
from nightowl.core.values import Check, Incident, Severity, Target

NAMES = "abcdef"
GRAPHS = st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), unique=True, max_size=3))


def check(name: str, *parents: str, **keys: object) -> Check:
    target = Target(kind="http", url="http://shop/")
    return Check(name=name, target=target, locations=("l",), depends_on=parents, **keys)


def test_parents_come_nearest_first_each_once() -> None:
    found = ancestors({"shop": ["proxy", "db"], "proxy": ["router"], "db": ["router"], "router": []})
    assert found["shop"] == ("proxy", "db", "router")
    assert "router" not in found


def test_a_circle_is_found_and_ends_where_it_closes() -> None:
    parents = {"a": ["b"], "b": ["c"], "c": ["b"]}
    assert circle(parents) == ("b", "c", "b")
    assert ancestors(parents) == {"a": ("b", "c"), "b": ("c",), "c": ("b",)}
    assert circle({"a": ["a"]}) == ("a", "a")


def test_a_chain_of_any_length_is_walked() -> None:
    chain = {str(number): [str(number + 1)] for number in range(1000)}
    assert circle(chain) == ()
    assert len(ancestors({"0": ["1"], **{key: chain[key] for key in list(chain)[1:]}})["0"]) == 1000


@given(GRAPHS)
def test_a_circle_is_one_and_without_it_nothing_is_its_own_ancestor(parents: dict[str, list[str]]) -> None:
    found = circle(parents)
    assert bool(found) == any(_reaches(parents, name, name) for name in parents)
    assert all(after in parents[before] for before, after in pairwise(found))
    assert found[:1] == found[-1:]


@given(GRAPHS)
def test_ancestors_are_all_that_can_be_reached_but_oneself(parents: dict[str, list[str]]) -> None:
    found = ancestors(parents)
    for name in parents:
        assert set(found.get(name, ())) == {
            other for other in NAMES if other != name and _reaches(parents, name, other)
        }


def _reaches(parents: dict[str, list[str]], start: str, wanted: str) -> bool:
    seen, waiting = set(), list(parents.get(start, ()))
    while waiting:
        name = waiting.pop()
        if name == wanted:
            return True
        if name not in seen:
            seen.add(name)
            waiting += parents.get(name, ())
    return False


def test_checks_and_rules_depend_on_one_another_by_name() -> None:
    lag = Rule(name="lag", metric="m", severity=Severity.WARNING, depends_on=("router",), for_=30.0)
    kin = [of_check(check("shop", "lag")), of_check(check("router", every=20.0)), of_rule(lag)]
    telling = Telling(parents=family(kin))
    shop = Incident(id="1", kind="check", subject="shop", severity=Severity.CRITICAL, summary="", opened=0.0)
    of_series = Incident(
        id="2", kind="rule", subject='lag{queue="a"}', severity=Severity.WARNING, summary="", opened=0.0
    )
    assert [(each.kind, each.name, each.settles) for each in telling.parents_of(shop)] == [
        ("rule", "lag", 40.0),
        ("check", "router", 40.0),
    ]
    assert [each.name for each in telling.parents_of(of_series)] == ["router"]


def test_names_that_nobody_has_are_left_out() -> None:
    assert family([of_check(check("shop", "gone"))]) == {}
