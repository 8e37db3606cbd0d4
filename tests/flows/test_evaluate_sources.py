"""Rules on sources, as the leader sees them: a memory store, evaluators that say what a test wants, time by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from msgspec.structs import replace

from nightowl.core.condition import Condition, Truth
from nightowl.core.errors import StoreUnavailable
from nightowl.core.evaluation import Finding
from nightowl.core.limits import Limit
from nightowl.core.portion_results import result as judged_result
from nightowl.core.portions import EVALUATORS, Judged, Portion, PortionReport, PortionResult
from nightowl.core.reading import Got, tagged
from nightowl.core.rule import Rule
from nightowl.core.rule_state import Phase, RuleState
from nightowl.core.series import Series, parse
from nightowl.core.strategies import BUILT_IN
from nightowl.core.telling import Telling
from nightowl.core.values import Change, Incident, Route, Severity
from nightowl.flows.evaluate_sources import SourceEvaluator
from nightowl.flows.standings import Standings
from nightowl.flows.tell import tell
from nightowl.ports import Lease, Store
from nightowl.testing.bus import ListBus
from nightowl.testing.store import memory_store

START = 1_790_000_000.0
HIGH = Rule(
    name="high", source="prom", metric="m", limits=(Limit("above", 5.0),), recover=3.0, severity=Severity.CRITICAL
)
EACH = Rule(name="each", source="prom", metric="m", limits=(Limit("above", 5.0),), identifiers=("a", "b"))

Values = Mapping[str, float | None]
"""What series have, by name (None: nothing that is current)."""


class World:
    """A leader's evaluator with what it works on."""

    def __init__(self, store: Store, *rules: Rule) -> None:
        self.store, self.bus = store, ListBus()
        self.rules = {rule.name: rule for rule in rules}
        self.now = START
        self.ids = 0
        self.lease: Lease | None = None
        self.evaluator = self.take_over()

    def take_over(self) -> SourceEvaluator:
        with self.store.transaction() as unit:
            if self.lease is not None:
                unit.leases.release(self.lease)
            lease = self.lease = unit.leases.acquire("director", f"at {self.now}", 3600.0)
        assert lease is not None
        self.evaluator = SourceEvaluator(self.store, lease, self.bus, self.new_id)
        with self.store.read() as unit:
            self.evaluator.take_over(unit, self.rules, self.now)
        return self.evaluator

    def new_id(self) -> str:
        self.ids += 1
        return str(self.ids)

    def step(self, seconds: float = 0.0, *, alive: bool = True, holding: tuple[str, ...] = ()) -> None:
        """Let time pass, and the leader have its turn."""
        self.now += seconds
        if alive:
            self.bus.telling.append(PortionReport(evaluator="eve", holding=holding))
        self.evaluator.step(self.rules, Telling(routes=(Route(name="all", to=("ops",)),)), self.now)

    def answer(
        self, values: Values | None = None, fault: str = "", identifier: str = "", refused: tuple[str, ...] = ()
    ) -> None:
        """Answer all batches that were sent; ``fault`` is that of the ``refused`` rules, or of all."""
        batches, self.bus.asked = self.bus.asked, []
        for batch in batches:
            results = [
                PortionResult(each.rule, each.identifier, fault)
                if fault and (each.rule in refused or not refused)
                else PortionResult(each.rule, each.identifier, series=self.judged(values or {}, each))
                for each in batch.portions
                if each.identifier == identifier or not identifier
            ]
            report = PortionReport(
                evaluator="eve", batch=batch.id, epoch=batch.epoch, at=batch.at, results=tuple(results)
            )
            self.bus.telling.append(report)

    def judged(self, values: Values, portion: Portion) -> tuple[Judged, ...]:
        found = []
        for name, value in values.items():
            series = tagged(parse(name), portion.identifier)
            limit = 3.0 if series in portion.firing else 5.0
            truth = Truth.UNKNOWN if value is None else Truth.TRUE if value > limit else Truth.FALSE
            found.append(Judged(series, truth, value, limit, None, f"{value} against {limit}"))
        return tuple(found)

    def instant(self, values: Values | None = None, fault: str = "", refused: tuple[str, ...] = ()) -> None:
        """A whole instant: sent, answered, taken in."""
        self.step(10.0)
        self.answer(values, fault, refused=refused)
        self.step(0.05)

    def standings(self) -> dict[str, str]:
        with self.store.read() as unit:
            return {each.series: each.why for each in unit.rules.all()}

    def incidents(self) -> list[Incident]:
        with self.store.read() as unit:
            return unit.incidents.page(open_only=False, subject="", offset=0, limit=100)[0]

    def open(self) -> list[str]:
        return sorted(each.subject for each in self.incidents() if each.open)

    def told(self) -> list[str]:
        with self.store.read() as unit:
            return [row.notice.step for each in self.incidents() for row in unit.outbox.of(each.id)]


@pytest.fixture
def store() -> Iterator[Store]:
    made = memory_store()
    yield made
    made.close()


def test_an_episode_is_one_incident_and_evaluators_are_told_what_fires(store: Store) -> None:
    world = World(store, HIGH)
    for value in (1.0, 9.0, 4.0, 2.0):
        world.instant({"m": value})
    [incident] = world.incidents()
    assert (incident.opened, incident.resolved) == (START + 20, START + 40)
    assert world.told() == ["firing", "resolved"]


def test_what_nobody_reports_is_sent_again_while_its_instant_is_current(store: Store) -> None:
    world = World(store, HIGH)
    world.step(10.0)
    [lost] = world.bus.asked
    world.step(2.0)
    assert len(world.bus.asked) == 1
    world.step(1.5)
    assert [each.id for each in world.bus.asked] == [lost.id, lost.id]
    world.step(6.6)
    assert [each.at for each in world.bus.asked[2:]] == [START + 20]
    assert (world.evaluator.missed, world.evaluator.resent) == (1, 1)


def test_what_an_evaluator_holds_is_not_sent_again(store: Store) -> None:
    world = World(store, HIGH)
    world.step(10.0)
    for _ in range(4):
        world.step(2.0, holding=(world.bus.asked[0].id,))
    assert len(world.bus.asked) == 1


def test_a_report_that_comes_twice_or_late_has_no_effect(store: Store) -> None:
    world = World(store, HIGH)
    world.step(10.0)
    world.answer({"m": 9.0})
    world.bus.telling *= 2
    world.step(0.1)
    late = list(world.bus.telling)
    world.step(10.0)
    world.answer({"m": 9.0})
    late = [each for each in world.bus.telling if each.results]
    world.bus.telling.clear()
    world.step(10.0)
    world.bus.telling += late
    world.step(0.1)
    assert [each.opened for each in world.incidents()] == [START + 10]
    assert (world.evaluator.late, world.evaluator.missed) == (1, 1)


def test_a_missed_instant_is_not_unknown(store: Store) -> None:
    rule = Rule(name="high", source="p", metric="m", limits=(Limit("above", 5.0),), nodata="nodata", nodata_after=10.0)
    world = World(store, rule)
    world.instant({"m": 1.0})
    for _ in range(5):
        world.step(10.0)
    world.instant({"m": 1.0})
    assert world.incidents() == []


def test_a_series_that_the_source_has_no_more_is_unknown(store: Store) -> None:
    rule = Rule(name="high", source="p", metric="m", limits=(Limit("above", 5.0),), nodata="nodata", nodata_after=20.0)
    world = World(store, rule)
    world.instant({"m": 9.0})
    for _ in range(3):
        world.instant({})
    assert {(each.kind, each.open) for each in world.incidents()} == {("rule", True), ("nodata", True)}
    world.instant({"m": 1.0})
    assert world.open() == []


def test_a_source_that_fails_resolves_nothing_opens_nothing_and_is_told_after_three_instants(store: Store) -> None:
    world = World(store, HIGH, EACH)
    world.instant({"m": 9.0})
    before = world.open()
    for number in range(1, 5):
        world.instant(fault="no answer within 5 s")
        assert world.open() == before
        assert ("source/prom" in world.evaluator.faults(world.now)) == (number >= 3)
    fault = world.evaluator.faults(world.now)["source/prom"]
    assert fault.summary == "source prom does not answer as it should: no answer within 5 s (rules: each, high)"
    assert fault.since == START + 20
    world.instant({"m": 1.0})
    assert (world.open(), world.evaluator.faults(world.now)) == ([], {})


def test_a_rule_that_is_refused_is_seen_as_unknown_and_is_told_as_its_own_fault(store: Store) -> None:
    world = World(store, HIGH, EACH)
    for _ in range(3):
        world.instant({"m": 1.0}, fault="the source answered 400", refused=("high",))
    assert world.standings() == {'high{answer="none"}': "the source answered 400"}
    assert world.open() == []
    [(subject, fault)] = world.evaluator.faults(world.now).items()
    assert (subject, fault.since) == ("rule/high", START + 10)
    assert fault.summary == "rule high cannot be evaluated: the source answered 400"
    world.instant(fault="no answer within 5 s")
    world.instant({"m": 1.0})
    assert (world.standings(), world.evaluator.faults(world.now)) == ({}, {})


def test_what_stands_for_a_rule_without_an_answer_is_over_when_it_is_answered(store: Store) -> None:
    rule = Rule(name="high", source="p", metric="m", limits=(Limit("above", 5.0),), nodata="nodata", nodata_after=10.0)
    world = World(store, rule)
    for _ in range(2):
        world.instant(fault="the source answered 400")
    assert world.open() == ['high{answer="none"}']
    world.take_over()
    world.instant({})
    assert (world.open(), world.standings()) == ([], {})


def test_what_stood_for_an_identifier_goes_when_data_comes_or_it_is_not_listed(store: Store) -> None:
    world = World(store, EACH)
    world.instant({})
    assert set(world.standings()) == {'m{id="a"}', 'm{id="b"}'}
    world.take_over()
    world.step(10.0)
    world.answer({'m{device="a"}': 1.0}, identifier="a")
    world.step(0.1)
    assert set(world.standings()) == {'m{id="b"}'}
    world.rules = {"each": Rule(name="each", source="prom", metric="m", limits=EACH.limits, identifiers=("a",))}
    world.step(0.1)
    assert world.standings() == {}


def test_a_rule_may_ask_for_an_alert_when_its_source_fails(store: Store) -> None:
    world = World(store, Rule(name="high", source="p", metric="m", limits=(Limit("above", 5.0),), nodata="alert"))
    world.instant({"m": 1.0})
    world.instant(fault="the host does not accept the connection")
    assert [each.summary for each in world.incidents()] == ["high is firing: the host does not accept the connection"]


def test_a_successor_goes_on_where_its_forerunner_ended(store: Store) -> None:
    rule = Rule(name="high", source="prom", metric="m", limits=(Limit("above", 5.0),), for_=20.0)
    world = World(store, rule)
    world.instant({"m": 9.0})
    world.take_over()
    world.instant({"m": 9.0})
    assert world.incidents() == []
    world.take_over()
    world.instant({"m": 9.0})
    [incident] = world.incidents()
    world.take_over()
    world.instant({"m": 1.0})
    assert [each.id for each in world.incidents() if each.resolved] == [incident.id]


def test_reports_of_another_term_do_not_count(store: Store) -> None:
    world = World(store, HIGH)
    world.step(10.0)
    world.answer({"m": 9.0})
    world.take_over()
    world.step(0.1)
    assert world.incidents() == []


def test_without_evaluators_nothing_is_sent_and_after_a_minute_that_is_told(store: Store) -> None:
    world = World(store, HIGH)
    for _ in range(7):
        world.step(10.0, alive=False)
    assert world.bus.asked == []
    assert world.evaluator.faults(world.now)["evaluators"].summary.startswith("no evaluator has been heard")
    world.step(10.0)
    assert world.evaluator.faults(world.now) == {}
    assert world.evaluator.missed == 7
    world.bus.refused[EVALUATORS] = world.now
    assert "secret_key" in world.evaluator.faults(world.now)["evaluators"].summary


def test_an_identifier_that_the_source_knows_nothing_of_is_missed(store: Store) -> None:
    rule = Rule(
        name="gone", source="p", metric="m", strategy="absent", over=30.0, identifiers=("a", "b"),
    )  # fmt: skip
    world = World(store, rule)
    world.step(10.0)
    world.answer({}, identifier="b")
    world.step(0.1)
    assert world.open() == ['gone{id="b"}']
    world.step(10.0)
    world.answer({'m{device="b",id="b"}': 1.0}, identifier="b")
    world.step(0.1)
    assert world.open() == []


def test_an_identifier_that_is_not_listed_any_more_ends_its_incidents(store: Store) -> None:
    world = World(store, EACH)
    world.step(10.0)
    world.answer({'m{id="a"}': 9.0}, identifier="a")
    world.step(0.1)
    assert world.open() == ['each{id="a"}']
    world.rules = {"each": Rule(name="each", source="prom", metric="m", limits=EACH.limits, identifiers=("b",))}
    world.step(0.1)
    assert world.open() == []


def test_what_was_removed_while_it_was_under_way_opens_nothing(store: Store) -> None:
    world = World(store, HIGH, EACH)
    world.step(10.0)
    world.answer({"m": 9.0})
    world.rules = {"each": Rule(name="each", source="prom", metric="m", limits=EACH.limits, identifiers=("b",))}
    world.step(0.1)
    assert world.open() == ['each{id="b"}']


def test_a_rule_that_is_removed_ends_its_incidents(store: Store) -> None:
    world = World(store, HIGH, EACH)
    world.instant({"m": 9.0})
    world.rules = {"each": EACH}
    world.step(0.1)
    assert world.open() == ['each{id="a"}', 'each{id="b"}']


def test_rules_on_sources_and_on_series_of_ones_own_do_not_end_one_another(store: Store) -> None:
    world = World(store, HIGH)
    world.instant({"m": 9.0})
    assert world.lease is not None
    own, series = Rule(name="own", metric="m"), Series("m")
    fired = Finding(series, world.now, Condition(truth=Truth.TRUE), RuleState(), RuleState(Phase.FIRING))
    for rules, found in (({}, {}), ({"own": own}, {"own": [fired]})):
        head = Standings(store, world.lease)
        with store.read() as unit:
            head.take_over(unit)
        head.write(rules, found, Telling(), world.now)
    assert world.open() == ["high", "own"]
    world.take_over()
    world.instant({"m": 1.0})
    assert world.open() == ["own"]


def test_what_was_removed_while_nobody_led_ends_its_incidents(store: Store) -> None:
    world = World(store, HIGH, EACH)
    world.instant({"m": 9.0})
    world.rules = {"each": Rule(name="each", source="prom", metric="m", limits=EACH.limits, identifiers=("b",))}
    world.take_over()
    assert world.open() == ['each{id="a"}', 'each{id="b"}', "high"]
    world.step(0.1)
    assert world.open() == ['each{id="b"}']


def test_what_the_store_does_not_take_is_stored_when_it_is_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(store, HIGH)
    world.instant({"m": 1.0})
    world.step(10.0)
    world.answer({"m": 9.0})
    with monkeypatch.context() as patched:
        patched.setattr(store, "transaction", _away)
        with pytest.raises(StoreUnavailable):
            world.step(0.1)
        with pytest.raises(StoreUnavailable):
            world.step(10.0)
    world.step(0.1)
    assert [each.opened for each in world.incidents()] == [START + 20]


def _away(*_: object) -> None:
    raise StoreUnavailable("the store is away")


def test_a_broker_that_refuses_costs_the_instant_and_no_more(store: Store) -> None:
    world = World(store, HIGH)
    world.bus.away = True
    world.step(10.0)
    world.bus.away = False
    world.step(4.0)
    world.answer({"m": 9.0})
    world.step(0.1)
    assert world.open() == ["high"]


def test_a_source_that_is_away_for_one_rule_is_told_as_the_source(store: Store) -> None:
    world = World(store, HIGH, EACH)
    for _ in range(3):
        world.step(10.0)
        [batch], world.bus.asked = world.bus.asked, []
        silent = judged_result(HIGH, BUILT_IN["fixed"], Portion("high"), Got(fault="no answer in time", away=True), 0.0)
        results = (silent, *(PortionResult("each", name) for name in "ab"))
        world.bus.telling.append(
            PortionReport(evaluator="eve", batch=batch.id, epoch=batch.epoch, at=batch.at, results=results)
        )
        world.step(0.05)
    assert set(world.evaluator.faults(world.now)) == {"source/prom"}


def test_a_successor_does_not_end_what_is_told_of_a_refused_rule(store: Store) -> None:
    world = World(store, HIGH, EACH)
    rule = Incident(id="x", kind="own", subject="rule/high", severity=Severity.WARNING, summary="s", opened=START)
    with store.transaction(world.lease) as unit:
        tell(unit, [Change(event="opened", incident=rule, at=START, text="s")], Telling(), START)
    world.take_over()
    assert set(world.evaluator.faults(world.now)) == {"rule/high"}
    world.instant({"m": 1.0})
    assert world.evaluator.faults(world.now) == {}


QUERY = replace(HIGH, metric="", query="sum by (a) (x)", recover=None)


@pytest.mark.parametrize(
    ("rule", "changed", "before", "after"),
    [
        (HIGH, replace(HIGH, metric="n"), {"m": 9.0}, {"n": 1.0}),
        (HIGH, replace(HIGH, where={"a": "2"}), {'m{a="1"}': 9.0}, {'m{a="2"}': 1.0}),
        (HIGH, replace(HIGH, source="other"), {'m{a="1"}': 9.0}, {'m{a="2"}': 1.0}),
        (QUERY, replace(QUERY, query="sum by (b) (x)"), {'high{a="1"}': 9.0}, {'high{b="1"}': 1.0}),
        (replace(HIGH, identifiers=("a",)), HIGH, {'m{id="a"}': 9.0}, {"m": 1.0}),
    ],
    ids=["metric", "where", "source", "query", "identifiers"],
)
@pytest.mark.parametrize("asked", [False, True], ids=["at rest", "under way"])
def test_a_rule_that_asks_something_else_lets_what_it_found_go(
    store: Store, rule: Rule, changed: Rule, before: Values, after: Values, asked: bool
) -> None:
    world = World(store, rule)
    world.step(10.0)
    world.answer(before, identifier=rule.identifiers[0] if rule.identifiers else "")
    world.step(0.05)
    assert len(world.open()) == 1
    if asked:
        world.step(10.0)
        world.answer(before, identifier=rule.identifiers[0] if rule.identifiers else "")
    world.rules = {rule.name: changed}
    for _ in range(3):
        world.instant(after)
    assert world.open() == []
    world.take_over()
    world.instant(after)
    assert (world.open(), world.standings()) == ([], {})


def test_another_limit_goes_on_with_what_is_open(store: Store) -> None:
    world = World(store, HIGH)
    world.instant({"m": 9.0})
    world.rules = {"high": replace(HIGH, limits=(Limit("above", 6.0),))}
    world.instant({"m": 9.0})
    assert [each.resolved for each in world.incidents()] == [None]
