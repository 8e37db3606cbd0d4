"""A week of checks: what the live system makes of it is what ``nightowl backtest`` makes of the same samples.

The live director gets the week through a real broker, with late, doubled and missing reports in any order, and another
director takes over in the middle. Time is moved by hand, so that a week takes seconds.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from nightowl.adapters.celery_bus.app import REPORT, BrokerSettings, make_app, queue
from nightowl.adapters.celery_bus.director import Bus
from nightowl.adapters.celery_bus.packing import pack_report
from nightowl.cli import main
from nightowl.config import Configuration, rule_from_spec
from nightowl.core.measures import of_outcome
from nightowl.core.rule_state import Phase
from nightowl.core.schedule import next_due
from nightowl.core.series import Series
from nightowl.core.values import Attempt, Batch, Check, Location, Outcome, Report, State, Target
from nightowl.flows.evaluate import LAG
from nightowl.flows.lead import Leader
from nightowl.flows.leadership import Parts, Plan
from nightowl.ports import Store, StoredCheck
from nightowl.testing.clock import ManualClock
from nightowl.wire.checks import load_configuration
from nightowl.wire.store import open_store
from tests.services.bus_parts import ring

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Celery leaves sockets open

EVERY = 900.0
HOUR = 3600.0
WEEK = 7 * 24 * HOUR
START = 1_790_000_100.0 - 1_790_000_100.0 % EVERY
LOCATIONS = ("london", "oslo")

RULES = """
[rule.down]
metric = "check_up"
equals = 0
for = "30m"
keep_firing = "45m"
stale = "40m"
[rule.slow]
metric = "check_duration_seconds"
where = { phase = "total" }
strategy = "floating"
baseline = { of = "median", over = "6h", gap = "15m" }
above = "+100%"
min_points = 4
stale = "20m"
[rule.noisy]
metric = "check_duration_seconds"
where = { phase = "total" }
strategy = "floating"
baseline = { of = "mean", over = "4h", gap = "15m" }
above = "+3 sigma"
min_points = 6
stale = "20m"
[rule.unlike-yesterday]
metric = "check_duration_seconds"
where = { phase = "total", location = "london" }
strategy = "period"
average = "1h"
compare = ["1d"]
above = "+60%"
below = "-40%"
[rule.slow-everywhere]
metric = "check_duration_seconds"
where = { phase = "total" }
by = ["check"]
aggregate = "min"
over = "20m"
above = 0.8
recover = 0.6
[rule.silent]
metric = "check_up"
below = 0
stale = "20m"
nodata = "nodata"
nodata_after = "1h"
[rule.gone]
metric = "check_up"
strategy = "absent"
over = "1h"
"""

Moves = dict[str, dict[str, list[list[object]]]]
"""By rule and series: instant, phase before, phase after; as the backtest tells them."""


class OpenBus(Bus):
    """The real bus; it counts the reports that came, and lets an actor know which batches there are."""

    def __init__(self, url: str, clock: ManualClock) -> None:
        super().__init__(BrokerSettings(url=url), dict.fromkeys(LOCATIONS, ""), clock, ring())
        self.arrived = 0
        self.batches: dict[str, list[str]] = {name: [] for name in LOCATIONS}

    def dispatch(self, batch: Batch) -> None:
        self.batches[batch.location].append(batch.id)
        super().dispatch(batch)

    def receive(self, limit: int) -> Sequence:
        found = super().receive(limit)
        self.arrived += len(found)
        return found


def outcome(location: str, due: float) -> Outcome | None:
    """What a location saw in a round: a daily season, slow hours, outages, and rounds without any answer."""
    dice = random.Random(f"{location} {due}")
    hour = (due - START) / HOUR
    if dice.random() < 0.04 or 101 <= hour < 104:
        return None
    season = 0.3 + 0.1 * math.sin(hour / 24 * math.tau) + dice.randrange(100) / 1000
    slow = 2.0 if 20 <= hour < 22 or 75 <= hour < 82 else 0.5 if 120 <= hour < 126 and location == "london" else 0.0
    down = 50 <= hour < 54 or (location == "oslo" and 130 <= hour < 131.2) or dice.random() < 0.01
    attempt = Attempt(state=State.DOWN if down else State.UP, started=due, duration=round(season + slow, 3))
    return Outcome(check="shop", due=due, location=location, state=attempt.state, attempts=(attempt,), kept=0)


class World:
    """A live system whose time is moved by hand, and an actor that speaks over the broker."""

    def __init__(self, url: str, store: Store, configuration: Configuration) -> None:
        self.url, self.store, self.configuration = url, store, configuration
        self.clock = ManualClock(START - 1.0)
        self.actor = make_app(BrokerSettings(url=url))
        self.sent = 0
        self.moves: Moves = {name: {} for name in configuration.rules}
        self._phases: dict[tuple[str, str], Phase] = {}
        self.lead("one")

    def lead(self, holder: str) -> None:
        self.bus = OpenBus(self.url, self.clock)
        plan = Plan(
            locations={name: Location(name=name) for name in LOCATIONS}, routes=(), rules=self.configuration.rules
        )
        parts = Parts(
            store=self.store,
            bus=self.bus,
            clock=self.clock,
            compile_check=compiled,
            compile_rule=lambda stored: rule_from_spec(stored.name, stored.spec),
            plan=lambda: plan,
            ears=lambda _cluster, _since: None,
        )
        self.leader = Leader(parts, holder=holder, led=self.bus.led)
        self.leader.tick()

    def take_over(self) -> None:
        """Another director goes on, while reports that nobody has taken are in the broker."""
        self.leader.stop()
        self.bus.close()
        self.sent -= self.bus.arrived
        self.lead("two")

    def at(self, moment: float) -> None:
        self.clock.advance(moment - self.clock.now())

    def report(self, found: Outcome) -> None:
        """Say something as an actor does, sealed, over the broker."""
        self.sent += 1
        now, taken = self.clock.now(), self.bus.batches[found.location]
        report = Report(actor="alice", location=found.location, sent=now, taken=tuple(taken), outcomes=(found,))
        taken.clear()
        data = pack_report(report, ring(), number=self.sent, issued=now, expires=now + 600)
        self.actor.send_task(REPORT, data, queue=queue(REPORT))

    def listen(self) -> None:
        """Turn until all that was sent has been taken."""
        end = time.monotonic() + 30
        self.leader.tick()
        while self.bus.arrived < self.sent:
            assert time.monotonic() < end, f"{self.bus.arrived} of {self.sent} reports arrived"
            time.sleep(0.001)
            self.leader.tick()

    def evaluate(self, instant: float) -> None:
        self.at(instant + LAG)
        self.listen()
        self.leader.evaluate()
        with self.store.read() as unit:
            phases = {(each.rule, each.series): each.state.phase for each in unit.rules.all()}
        for key in sorted(phases.keys() | self._phases.keys()):
            before, after = (known.get(key, Phase.OK) for known in (self._phases, phases))
            if before is not after:
                self.moves[key[0]].setdefault(key[1], []).append([instant, str(before), str(after)])
        self._phases = phases


def compiled(stored: StoredCheck) -> Check:
    target = Target(kind="http", url="http://shop.example/", timeout=2.0)
    return Check(name=stored.name, target=target, locations=LOCATIONS, every=EVERY, attempts=1)


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    file = tmp_path / "nightowl.toml"
    places = "".join(f"[location.{name}]\n" for name in LOCATIONS)
    file.write_text(f'[store]\nurl = "sqlite:///{tmp_path}/week.db"\n{places}{RULES}')
    return load_configuration(str(file))


@pytest.fixture
def world(redis_url: str, configuration: Configuration) -> Iterator[World]:
    store = open_store(configuration)
    with store.transaction() as unit:
        unit.checks.put(StoredCheck(name="shop", origin="file", paused=False, spec={"url": "http://shop.example/"}))
    world = World(redis_url, store, configuration)
    yield world
    world.leader.stop()
    world.bus.close()
    world.actor.close()
    store.close()


def live(world: World) -> list[Outcome]:
    """Live through a week; return what there was to see."""
    dice = random.Random(7)
    seen: list[Outcome] = []
    phase = next_due("shop", EVERY, START) - START
    for number in range(round(WEEK / EVERY)):
        instant = START + (number + 1) * EVERY
        due = START + number * EVERY + phase
        world.at(due)
        world.listen()
        reports = sorted(reports_of(due, instant, dice), key=lambda each: each[0])
        soon = [each for each in reports if each[0] <= due + 5]
        for moment, found in soon:
            world.at(moment)
            world.report(found)
        if number == round(WEEK / EVERY / 2):
            world.take_over()
        world.listen()
        world.at(due + 10)
        world.leader.tick()
        for moment, found in reports[len(soon) :]:
            world.at(max(moment, due + 10))
            world.report(found)
        world.evaluate(instant)
        seen += {each.location: each for _, each in reports}.values()
    return seen


def reports_of(due: float, instant: float, dice: random.Random) -> Iterator[tuple[float, Outcome]]:
    """When the results of a round are reported: mostly soon, some late, some twice, in any order."""
    for location in LOCATIONS:
        found = outcome(location, due)
        if found is None:
            continue
        latest = instant + LAG - 0.5
        yield (
            (min(due + dice.uniform(0.4, 4.0), latest) if dice.random() < 0.7 else dice.uniform(due + 1, latest)),
            found,
        )
        if dice.random() < 0.3:
            yield dice.uniform(due + 1, latest), found


def backtest(*more: str) -> Moves:
    found = CliRunner().invoke(main, ["backtest", "--every", "15m", "--json", *more], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return json.loads(found.stdout)


@pytest.mark.redis
def test_a_backtest_of_a_week_agrees_with_the_live_system(
    world: World, configuration: Configuration, tmp_path: Path
) -> None:
    seen = live(world)
    span = ("--rules", configuration.source, "--from", str(START + EVERY), "--to", str(START + WEEK))
    assert backtest(*span) == world.moves
    rows = [f"{Series(s.metric, s.labels)},{s.time},{s.value}" for found in seen for s in of_outcome(found)]
    random.Random(8).shuffle(rows)
    file = tmp_path / "week.csv"
    file.write_text("\n".join([*rows, *rows[:500]]))
    assert backtest(*span, "--samples", str(file)) == world.moves
    assert all(world.moves.values()), "each rule has something to say of this week"
