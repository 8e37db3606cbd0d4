"""Rules over what a director stores: a memory store, one thread, time by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from nightowl.core.condition import Truth
from nightowl.core.errors import StoreUnavailable
from nightowl.core.limits import Limit, relative_limit
from nightowl.core.portions import Judged, PortionReport, PortionResult
from nightowl.core.rule import Rule
from nightowl.core.rule_incident import Standing
from nightowl.core.rule_state import Phase, RuleState
from nightowl.core.series import Series
from nightowl.core.strategies import BUILT_IN
from nightowl.core.strategies.guarded import Guarded
from nightowl.core.telling import Telling
from nightowl.core.values import Incident, Route, Sample, Severity
from nightowl.flows.evaluate import LAG, STUCK, Evaluator
from nightowl.flows.evaluate_sources import SourceEvaluator
from nightowl.ports import Lease, Store
from nightowl.testing.bus import ListBus
from nightowl.testing.store import memory_store

START = 1_790_000_000.0
HIGH = Rule(name="high", metric="m", limits=(Limit("above", 5.0),), tags={"team": "shop"}, severity=Severity.CRITICAL)
TELLING = Telling(routes=(Route(name="all", to=("ops",), wait=0.0),))


class World:
    """An evaluator with what it works on."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = self.steps = START
        self.rules = {"high": HIGH}
        self.lease: Lease | None = None
        self.strategies = dict(BUILT_IN)
        self.evaluator = self.take_over()

    def take_over(self) -> Evaluator:
        with self.store.transaction() as unit:
            if self.lease is not None:
                unit.leases.release(self.lease)
            lease = self.lease = unit.leases.acquire("director", f"at {self.now}", 3600.0)
        assert lease is not None
        return Evaluator(self.store, lease, self.strategies)

    def say(self, value: float, metric: str = "m", **labels: str) -> None:
        """Store a sample of now, as a leader does, and let an instant come."""
        self.append(Sample(metric, tuple(sorted(labels.items())), self.now, value))
        self.step()

    def append(self, *samples: Sample) -> None:
        """Store samples, as any role does."""
        self.steps += 1.0
        with self.store.transaction() as unit:
            unit.series.append("test", self.steps, samples)

    def step(self) -> None:
        self.now += 10.0
        self.evaluator.step(self.rules, TELLING, self.now + LAG)

    def incidents(self) -> list[Incident]:
        with self.store.read() as unit:
            return unit.incidents.page(open_only=False, subject="", offset=0, limit=100)[0]

    def told(self) -> list[str]:
        with self.store.read() as unit:
            return [row.notice.step for each in self.incidents() for row in unit.outbox.of(each.id)]


@pytest.fixture
def world() -> Iterator[World]:
    store = memory_store()
    yield World(store)
    store.close()


def test_an_episode_is_one_incident_with_its_notices(world: World) -> None:
    for value in (1.0, 9.0, 8.0, 2.0):
        world.say(value, queue="mail")
    [incident] = world.incidents()
    assert (incident.kind, incident.subject, incident.severity) == ("rule", 'high{queue="mail"}', Severity.CRITICAL)
    assert incident.summary == 'high{queue="mail"} is firing: 9 > 5'
    assert incident.tags == {"queue": "mail", "team": "shop"}
    assert (incident.opened, incident.resolved) == (START + 20, START + 40)
    assert world.told() == ["firing", "resolved"]


def test_each_series_has_an_incident_of_its_own(world: World) -> None:
    for queue in ("mail", "pdf"):
        world.say(9.0, queue=queue)
    assert {each.subject for each in world.incidents()} == {'high{queue="mail"}', 'high{queue="pdf"}'}


def test_a_successor_goes_on_where_its_forerunner_ended(world: World) -> None:
    world.rules = {"high": Rule(name="high", metric="m", limits=(Limit("above", 5.0),), for_=30.0)}
    world.say(9.0)
    world.say(9.0)
    world.evaluator = world.take_over()
    world.say(9.0)
    assert not world.incidents()
    world.say(9.0)
    [incident] = world.incidents()
    world.evaluator = world.take_over()
    world.say(1.0)
    assert [each.id for each in world.incidents() if each.resolved] == [incident.id]


def test_a_successor_knows_the_samples_that_were_stored(world: World) -> None:
    world.rules = {"mean": Rule(name="mean", metric="m", limits=(Limit("above", 5.0),), aggregate="mean", over=60.0)}
    world.say(1.0)
    world.say(1.0)
    world.evaluator = world.take_over()
    world.say(9.0)
    assert not world.incidents()


def test_missing_data_resolves_nothing_and_is_told_where_the_rule_says_so(world: World) -> None:
    world.rules = {
        "high": HIGH,
        "told": Rule(name="told", metric="m", limits=(Limit("above", 5.0),), nodata="nodata", nodata_after=30.0),
    }
    world.say(9.0)
    for _ in range(12):
        world.step()
    found = {(each.kind, each.subject) for each in world.incidents() if each.open}
    assert found == {("rule", "high"), ("rule", "told"), ("nodata", "told")}
    world.say(1.0)
    assert not [each for each in world.incidents() if each.open]


def test_what_arrives_within_the_lag_counts_at_its_instant_and_what_is_later_from_the_next_on(world: World) -> None:
    def arrives(value: float, time: float, now: float) -> None:
        world.evaluator.step(world.rules, TELLING, now)
        world.append(Sample("m", (), time, value))

    world.step()
    at = world.now + 10.0
    arrives(9.0, at, at + LAG - 0.1)
    world.evaluator.step(world.rules, TELLING, at + LAG)
    assert [each.opened for each in world.incidents()] == [at]
    arrives(1.0, at + 10.0, at + 10.0 + LAG + 0.1)
    world.evaluator.step(world.rules, TELLING, at + 10.0 + LAG + 1.0)
    assert [each.resolved for each in world.incidents()] == [None]
    world.evaluator.step(world.rules, TELLING, at + 20.0 + LAG)
    assert [each.resolved for each in world.incidents()] == [at + 20.0]


def test_a_period_of_a_day_reads_what_was_a_day_ago_from_the_store(world: World) -> None:
    world.rules = {
        "drop": Rule(
            name="drop",
            metric="m",
            strategy="period",
            average=60.0,
            compare=(86400.0,),
            limits=(relative_limit("below", "-40%"),),
        )
    }
    long_ago = [Sample("m", (), START - 86400.0 + 10.0 * step, 100.0 if step < 120 else 10.0) for step in range(300)]
    world.append(*long_ago)
    world.evaluator = world.take_over()
    for _ in range(150):
        world.say(50.0)
    [incident] = world.incidents()
    assert incident.summary == "drop is firing: -50 % since 1 d ago: 50 after 100, beyond -40 %"
    assert (incident.opened, incident.resolved) == (START + 10.0, START + 1210.0)


def test_a_rule_that_is_removed_ends_its_incidents(world: World) -> None:
    world.say(9.0)
    world.rules = {}
    world.step()
    [incident] = world.incidents()
    assert incident.resolved is not None
    with world.store.read() as unit:
        assert unit.rules.all() == []
        assert unit.incidents.timeline(incident.id)[-1].text.endswith("the rule was removed")


@pytest.mark.parametrize("method", ["spans", "judge"])
def test_a_plug_in_that_raises_stops_no_other_rule(world: World, method: str) -> None:
    broken = type("Broken", (), {"spans": BUILT_IN["fixed"].spans, "judge": BUILT_IN["fixed"].judge, method: _fail})
    told: list[str] = []
    world.strategies["own"] = Guarded("own", lambda: broken, lambda rule, *_: told.append(rule))
    world.rules = {
        "own": Rule(name="own", metric="m", strategy="own", nodata="nodata", nodata_after=10.0),
        "high": HIGH,
    }
    world.evaluator = world.take_over()
    world.say(9.0)
    world.say(9.0)
    assert {(each.kind, each.subject) for each in world.incidents()} == {("nodata", "own"), ("rule", "high")}
    assert "the strategy own failed: KeyError: 'hours'" in next(
        e.summary for e in world.incidents() if e.kind == "nodata"
    )
    assert told == ["own"]


def test_what_could_not_be_stored_is_found_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.say(1.0)
    world.append(Sample("m", (), world.now, 9.0))
    with monkeypatch.context() as patched:
        patched.setattr(world.store, "transaction", _away)
        with pytest.raises(StoreUnavailable):
            world.step()
    world.evaluator.step(world.rules, TELLING, world.now + LAG + 1)
    assert [each.subject for each in world.incidents()] == ["high"]


def _fail(*_: object, **__: object) -> None:
    raise KeyError("hours")


def _away(*_: object) -> None:
    raise StoreUnavailable("the store is away")


def test_at_rest_nothing_is_remembered(world: World) -> None:
    world.say(9.0)
    with world.store.read() as unit:
        assert [each.state.phase for each in unit.rules.all()] == [Phase.FIRING]
    world.say(1.0)
    with world.store.read() as unit:
        assert unit.rules.all() == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"where": {"queue": "*"}}, {"where": {"queue": "sms"}}),
        ({"where": {"queue": "mail"}}, {"metric": "other"}),
        ({"by": ("queue",)}, {"by": ()}),
        ({"by": ("queue",)}, {"by": ("queue",), "where": {"queue": "sms"}}),
    ],
)
def test_what_a_changed_rule_does_not_look_at_any_more_is_over(world: World, before: dict, after: dict) -> None:
    world.rules = {"high": replace(HIGH, **before)}
    world.say(9.0, queue="mail")
    assert [each.subject for each in world.incidents() if each.open] == ['high{queue="mail"}']
    world.rules = {"high": replace(HIGH, **after)}
    world.step()
    [first] = [each for each in world.incidents() if each.subject == 'high{queue="mail"}']
    assert first.resolved == world.now
    with world.store.read() as unit:
        assert "does not look at this series any more" in unit.incidents.timeline(first.id)[-1].text
        assert "mail" not in "".join(each.series for each in unit.rules.all())


def test_what_a_changed_rule_still_looks_at_goes_on(world: World) -> None:
    world.say(9.0, queue="mail")
    world.rules = {"high": replace(HIGH, where={"queue": "m*"}, limits=(Limit("above", 6.0),))}
    world.step()
    assert [each.resolved for each in world.incidents()] == [None]


def test_a_median_leaves_the_samples_as_they_are_for_other_rules(world: World) -> None:
    median = Rule(name="median", metric="m", aggregate="median", over=300.0, limits=(Limit("above", 1000.0),))
    world.rules = {"median": median, "high": HIGH}
    for number in range(30):
        world.say(9.0 if number < 8 else 1.0)
    [incident] = world.incidents()
    assert (incident.opened, incident.resolved) == (START + 10, START + 90)


@pytest.mark.parametrize(("phase", "value"), [(Phase.PENDING, 9.0), (Phase.RECOVERING, 1.0)])
def test_a_moment_that_a_wrong_clock_left_far_ahead_holds_up_nothing(world: World, phase: Phase, value: float) -> None:
    world.rules = {"high": replace(HIGH, for_=60.0, keep_firing=60.0)}
    ahead = RuleState(phase, since=START + 86_400.0, until=START + 86_460.0)
    with world.store.transaction() as unit:
        unit.rules.put([Standing(rule="high", series="m", state=ahead)])
    world.evaluator = world.take_over()
    for _ in range(8):
        world.say(value)
    with world.store.read() as unit:
        found = [each.state.phase for each in unit.rules.all()]
    assert found == ([Phase.FIRING] if phase is Phase.PENDING else [])


@pytest.mark.parametrize("first", ["own", "source"])
def test_a_rule_that_goes_over_between_own_series_and_a_source_leaves_no_incident_behind(
    world: World, first: str
) -> None:
    """Both evaluators take their turns as a leader lets them; another leader takes over right after the change."""
    sourced, lists = replace(HIGH, source="prom"), ListBus()
    makers = iter(range(1, 1000))

    def asking() -> SourceEvaluator:
        assert world.lease is not None
        made = SourceEvaluator(world.store, world.lease, lists, lambda: str(next(makers)))
        with world.store.read() as unit:
            made.take_over(unit, rules["source"], world.now)
        return made

    def turn(value: float) -> None:
        world.rules = rules["own"]
        world.say(value)
        for _ in range(2):
            lists.telling.append(PortionReport(evaluator="eve"))
            asked.step(rules["source"], TELLING, world.now)
            for batch in lists.asked:
                condition = Judged(Series("m"), Truth.TRUE if value > 5 else Truth.FALSE, value)
                results = tuple(PortionResult(each.rule, series=(condition,)) for each in batch.portions)
                report = PortionReport(evaluator="eve", batch=batch.id, epoch=batch.epoch, at=batch.at, results=results)
                lists.telling.append(report)
            lists.asked.clear()

    kept: dict[str, dict[str, Rule]] = {"own": {"high": HIGH}, "source": {}}
    moved: dict[str, dict[str, Rule]] = {"own": {}, "source": {"high": sourced}}
    rules = kept if first == "own" else moved
    asked = asking()
    for _ in range(3):
        turn(9.0)
    rules = moved if first == "own" else kept
    turn(9.0)
    world.evaluator, asked = world.take_over(), asking()
    for _ in range(3):
        turn(9.0)
    assert len([each for each in world.incidents() if each.open]) == 1
    for _ in range(3):
        turn(1.0)
    assert [each for each in world.incidents() if each.open] == []


def test_an_evaluation_that_does_not_come_back_is_noticed(world: World) -> None:
    assert world.evaluator.stuck(START, START + STUCK) is None
    assert world.evaluator.stuck(START, START + STUCK + 1) == START
    world.step()
    assert world.evaluator.stuck(START, world.now + STUCK) is None
    assert world.evaluator.stuck(START, world.now + STUCK + 1) == world.now
