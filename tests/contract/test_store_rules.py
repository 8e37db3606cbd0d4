"""Where rules stand."""

from __future__ import annotations

from nightowl.core.rule_incident import Standing
from nightowl.core.rule_state import Phase, RuleState
from nightowl.ports import Store


def standing(rule: str, series: str, phase: Phase = Phase.FIRING, **keys: str) -> Standing:
    return Standing(rule=rule, series=series, state=RuleState(phase, since=5.5), **keys)


def test_standings_are_kept_by_rule_and_series_until_they_are_removed(store: Store) -> None:
    first = [standing("b", "m"), standing("a", 'm{q="ü"}', incident="1"), standing("a", "m", Phase.NODATA)]
    with store.transaction() as unit:
        unit.rules.put(first)
        unit.rules.put([])
    with store.read() as unit:
        assert unit.rules.all() == [first[2], first[1], first[0]]
    again = standing("a", "m", Phase.PENDING, silence="2")
    with store.transaction() as unit:
        unit.rules.put([again])
        unit.rules.remove([first[0], standing("a", "another")])
    with store.read() as unit:
        assert unit.rules.all() == [again, first[1]]


def test_of_one_rule_and_series_put_twice_the_last_counts(store: Store) -> None:
    with store.transaction() as unit:
        unit.rules.put([standing("a", "m"), standing("a", "m", Phase.PENDING)])
    with store.read() as unit:
        assert unit.rules.all() == [standing("a", "m", Phase.PENDING)]


def test_what_a_rule_asks_of_a_source_stands_beside_what_it_looks_at_itself(store: Store) -> None:
    own, sourced = standing("a", "m", incident="1"), standing("a", "m", source="prom/x", incident="2")
    with store.transaction() as unit:
        unit.rules.put([own, sourced])
    with store.transaction() as unit:
        assert len(unit.rules.all()) == 2
        unit.rules.remove([own])
    with store.read() as unit:
        assert unit.rules.all() == [sourced]
