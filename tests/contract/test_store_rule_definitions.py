"""Rules as they are defined, and the series and incidents that their pages ask for."""

from __future__ import annotations

from nightowl.core.values import Change, CheckState, Incident, Place, Sample, Severity, State, Verdict
from nightowl.ports import Store, StoredRule


def rule(name: str, above: float = 1.0, origin: str = "stored", changed: float = 5.0) -> StoredRule:
    spec = {"metric": "ü", "above": above, "tags": {"team": "shop"}}
    return StoredRule(name=name, origin=origin, spec=spec, changed=changed)  # type: ignore[arg-type]


def test_definitions_are_kept_by_name_and_each_change_is_told(store: Store) -> None:
    with store.transaction() as unit:
        unit.rule_definitions.put([rule("b"), rule("a", origin="file")])
    with store.read() as unit:
        assert unit.rule_definitions.all() == [rule("a", origin="file"), rule("b")]
        assert unit.rule_definitions.get("b") == rule("b")
        assert unit.rule_definitions.get("c") is None
        before = unit.feed.last()
    with store.transaction() as unit:
        unit.rule_definitions.put([rule("b", changed=9.0), rule("a", 2.0)])
        assert unit.rule_definitions.remove("b")
        assert not unit.rule_definitions.remove("c")
    with store.read() as unit:
        assert unit.rule_definitions.all() == [rule("a", 2.0)]
        assert {(item.kind, item.subject) for item in unit.feed.after(before, 9)} == {("rule", "a"), ("rule", "b")}


def test_what_differs_in_nothing_but_its_moment_is_not_written(store: Store) -> None:
    with store.transaction() as unit:
        unit.rule_definitions.put([rule("a")])
    with store.read() as unit:
        before = unit.feed.last()
    with store.transaction() as unit:
        unit.rule_definitions.put([rule("a", changed=9.0)])
    with store.read() as unit:
        assert (unit.feed.last(), unit.rule_definitions.all()) == (before, [rule("a")])


def test_incidents_of_a_rule_are_those_of_its_series_and_of_no_other(store: Store) -> None:
    subjects = ["backlog", 'backlog{q="a"}', 'backlog{q="b"}', "backlog-2", 'backlogs{q="a"}', "back"]
    with store.transaction() as unit:
        for at, subject in enumerate(subjects):
            unit.incidents.apply([opened(f"i{at}", "nodata" if at == 2 else "rule", subject, float(at))])
        unit.incidents.apply([opened("check", "check", "backlog", 9.0)])
    with store.read() as unit:
        assert [each.id for each in unit.incidents.of_rule("backlog", 9)] == ["i2", "i1", "i0"]
        assert [each.id for each in unit.incidents.of_rule("backlog", 2)] == ["i2", "i1"]


def opened(identity: str, kind: str, subject: str, at: float) -> Change:
    found = Incident(
        id=identity,
        kind=kind,  # type: ignore[arg-type]
        subject=subject,
        severity=Severity.WARNING,
        summary="",
        opened=at,
    )
    return Change(event="opened", incident=found, at=at, text="")


def test_the_catalogue_names_appended_series_and_those_of_checks(store: Store) -> None:
    with store.read() as unit:
        assert (unit.series_names.metrics(), unit.series_names.labels("depth")) == ([], [])
    places = (Place(location="london", state=State.UP, voted=True), Place(location="tokyo", state=State.UP, voted=True))
    last = Verdict(check="shop", due=1.0, closed=2.0, state=State.UP, places=places)
    with store.transaction() as unit:
        unit.series.append("test", 5.0, [Sample("depth", (("q", name),), 5.0, 1.0) for name in ("b", "a")])
        unit.rounds.close([last], [CheckState(check="shop", verdict=State.UP, last=last)])
    with store.read() as unit:
        assert unit.series_names.metrics() == ["check_duration_seconds", "check_up", "depth"]
        assert unit.series_names.labels("depth") == [(("q", "a"),), (("q", "b"),)]
        up = [(("check", "shop"), ("location", name)) for name in ("london", "tokyo")]
        assert unit.series_names.labels("check_up") == up
        totals = [(*labels, ("phase", "total")) for labels in up]
        assert set(totals) < set(unit.series_names.labels("check_duration_seconds"))
