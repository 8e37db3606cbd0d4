"""Rules on real sources, evaluated by Celery over real brokers. Director time is moved by hand, over samples of an hour
ago, so that minutes of it pass in seconds."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from nightowl import plugins
from nightowl.adapters.celery_bus.app import BrokerSettings
from nightowl.adapters.celery_bus.director import Bus
from nightowl.adapters.celery_bus.evaluator import Evaluator
from nightowl.adapters.celery_bus.packing import pack_batch
from nightowl.adapters.celery_bus.portion_packing import pack_portions
from nightowl.core.limits import Limit
from nightowl.core.reading import SourceSettings
from nightowl.core.rule import Rule
from nightowl.core.telling import Telling
from nightowl.core.values import Incident, LocationKey, Route
from nightowl.flows.evaluate_sources import SourceEvaluator
from nightowl.flows.judge import Judge
from nightowl.testing.clock import ManualClock
from nightowl.testing.store import memory_store
from tests.servers.graphite_server import Graphite
from tests.servers.prometheus_server import Prometheus
from tests.services.bus_parts import CLOCK, KEY, OTHER_KEY, all_good, batch, evaluating, portions, ring, wait_for

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Celery leaves sockets open

STEP = 10.0
EVERYBODY = Telling(routes=(Route(name="all", to=("ops",)),))

HEAT = Rule(
    name="heat",
    source="prom",
    metric="temperature_celsius",
    where={"device": "$id"},
    identifiers=("dev-1", "dev|2", "dev-3"),
    limits=(Limit("above", 70.0),),
    recover=60.0,
)
TRAFFIC = Rule(name="traffic", source="prom", query="sum(rate(requests_total[30s]))", limits=(Limit("above", 5.0),))
LOAD = Rule(
    name="load", source="graphite", metric="owl.$id.load", identifiers=("web1", "web2"), limits=(Limit("above", 4.0),)
)


class Installation:
    """A director over a broker, whose time is moved by hand."""

    def __init__(self, settings: BrokerSettings, rules: Iterable[Rule], start: float, key: LocationKey = KEY) -> None:
        self.store = memory_store()
        self.rules = {rule.name: rule for rule in rules}
        self.clock = ManualClock(start)
        self.bus = Bus(settings, {}, self.clock, ring(key))
        self.bus.led(True)
        self._ids = 0
        self.leader = self.take_over()

    def take_over(self) -> SourceEvaluator:
        """Let a new term begin."""
        with self.store.transaction() as unit:
            if hasattr(self, "lease"):
                unit.leases.release(self.lease)
            lease = unit.leases.acquire("director", f"holder {self._ids}", 3600.0)
        assert lease is not None
        self.lease = lease
        self.leader = SourceEvaluator(self.store, lease, self.bus, self.new_id)
        with self.store.read() as unit:
            self.leader.take_over(unit, self.rules, self.clock.now())
        return self.leader

    def new_id(self) -> str:
        self._ids += 1
        return f"{self.lease.epoch}.{self._ids}"

    def step(self) -> None:
        self.leader.step(self.rules, EVERYBODY, self.clock.now())

    def swept(self) -> bool:
        """Whether all portions of the instant have been told."""
        self.step()
        sweep = self.leader._sweep
        return sweep is not None and sweep.at == self.clock.now() and not sweep.missing

    def incidents(self) -> list[Incident]:
        with self.store.read() as unit:
            return unit.incidents.page(open_only=False, subject="", offset=0, limit=100)[0]

    def close(self) -> None:
        self.bus.close()
        self.store.close()


def judge(rules: Iterable[Rule], sources: Mapping[str, SourceSettings]) -> Judge:
    """What an evaluator with this configuration does."""
    known = {rule.name: rule for rule in rules}
    made = {name: plugins.sources()[each.kind](each) for name, each in sources.items()}
    return Judge(lambda: known, lambda: made)


@contextmanager
def installed(settings: BrokerSettings, rules: Sequence[Rule], start: float) -> Iterator[Installation]:
    made = Installation(settings, rules, start)
    try:
        yield made
    finally:
        made.close()


def an_hour_ago() -> float:
    return time.time() // STEP * STEP - 3600.0


def over(at: float, values: Sequence[float]) -> Iterator[tuple[float, float]]:
    """A value for each instant from the one after ``at`` on, a second before it."""
    for number, value in enumerate(values, start=1):
        yield at + number * STEP - 1, value


def history(start: float) -> list[str]:
    """What a Prometheus has scraped: two devices get hot in turn, and traffic rises and falls."""
    found = ["# TYPE temperature_celsius gauge"]
    for device, values in (("dev-1", (50, 80, 65, 65, 50, 50)), ("dev|2", (50, 50, 50, 71, 50, 50))):
        for at, value in over(start, values):
            found.append(f'temperature_celsius{{device="{device}"}} {value} {at}')
    found.append("# TYPE requests counter")
    total = 0
    for number in range(-6, 13):
        total += 500 if 1 <= number <= 6 else 5
        found.append(f"requests_total {total} {start + number * 5}")
    return found


def walked(installations: Sequence[Installation], instants: int) -> None:
    """Let so many instants come, each once the one before has been told."""
    for _ in range(instants):
        for each in installations:
            each.clock.advance(STEP)
        for each in installations:
            wait_for(each.swept, what=lambda each=each: f"{each.bus.fault} {each.leader.missed}")


def episodes(made: Installation, start: float) -> dict[str, list[tuple[float, float | None]]]:
    """When incidents opened and ended, in instants since the start."""
    found: dict[str, list[tuple[float, float | None]]] = {}
    for each in reversed(made.incidents()):
        ended = None if each.resolved is None else (each.resolved - start) / STEP
        found.setdefault(each.subject, []).append(((each.opened - start) / STEP, ended))
    return found


@pytest.mark.redis
@pytest.mark.mariadb
@pytest.mark.prometheus
@pytest.mark.graphite
def test_rules_on_prometheus_and_graphite_open_and_resolve_incidents_over_redis_and_mariadb(
    redis_url: str, mariadb_url: str, prometheus_with: Callable[[Iterable[str]], Prometheus], graphite: Graphite
) -> None:
    start = an_hour_ago()
    prometheus = prometheus_with(history(start))
    graphite.write(("owl.web1.load", value, at) for at, value in over(start, (1, 9, 9, 1, 1, 1)))
    graphite.write(("owl.web2.load", value, at) for at, value in over(start, (1, 1, 1, 1, 1, 1)))
    sources = {
        "prom": SourceSettings(name="prom", kind="prometheus", url=prometheus.url),
        "graphite": SourceSettings(name="graphite", kind="graphite", url=graphite.url),
    }
    rules = (HEAT, TRAFFIC, LOAD)
    with ExitStack() as stack:
        made = []
        for url in (redis_url, mariadb_url):
            settings = BrokerSettings(url=url)
            made.append(stack.enter_context(installed(settings, rules, start)))
            stack.enter_context(evaluating(settings, judge(rules, sources).judge))
        walked(made, 3)
        for each in made:
            each.take_over()
        walked(made, 3)
        for each in made:
            assert episodes(each, start) == {
                'heat{device="dev-1",id="dev-1"}': [(2, 5)],
                'heat{device="dev|2",id="dev|2"}': [(4, 5)],
                'load{id="web1"}': [(2, 4)],
                "traffic": [(1, 6)],
            }, each.bus.fault
            assert (each.leader.missed, each.leader.late) == (0, 0)
            opened = {incident.subject: incident.summary for incident in each.incidents()}
            assert opened['load{id="web1"}'] == 'load{id="web1"} is firing: 9 > 4'


def test_what_is_sealed_by_another_secret_is_refused_counted_and_told(tmp_path: Path) -> None:
    settings = BrokerSettings(url=f"filesystem://{tmp_path}/bus")
    start = an_hour_ago()
    with (
        installed(settings, [TRAFFIC], start) as made,
        evaluating(settings, judge([], {}).judge, keys=[OTHER_KEY]) as evaluator,
    ):
        made.clock.advance(STEP)
        wait_for(lambda: (made.step(), made.bus.foreign(".evaluators"))[1])
        assert "another [server] secret_key" in made.leader.faults(made.clock.now())["evaluators"].summary
        made.bus.ask(portions())
        wait_for(lambda: evaluator.fault)
        assert "the director seals by another [server] secret_key" in evaluator.fault
        assert evaluator.garbage.kinds == {
            "an envelope of evaluators that is sealed by another [server] secret_key than here": 1
        }


def test_strangers_on_the_broker_are_refused(tmp_path: Path) -> None:
    settings = BrokerSettings(url=f"filesystem://{tmp_path}/bus")
    evaluator = Evaluator(settings, CLOCK, ring(KEY), all_good, name="eve")
    good = pack_portions(portions(), ring(KEY))
    broken = tuple(part[:-1] + bytes([part[-1] ^ 1]) for part in good)
    for message in (
        (),
        ("x",),
        (b"",),
        (b"\x00" * 100,),
        (*good, *good, *good),
        pack_portions(portions(), ring()),
        broken,
    ):
        evaluator.take(*message)
    evaluator.take(*pack_batch(batch(), ring(KEY)))
    evaluator.take(data=good)
    assert (evaluator.garbage.count, evaluator.judged) == (9, 0)


def test_a_batch_that_has_expired_is_not_judged(tmp_path: Path) -> None:
    evaluator = Evaluator(BrokerSettings(url=f"filesystem://{tmp_path}/bus"), CLOCK, ring(KEY), all_good, name="eve")
    evaluator.take(*pack_portions(replace(portions(), expires=CLOCK.now() - 1), ring(KEY)))
    assert (evaluator.expired, evaluator.judged) == (3, 0)


def test_a_source_that_hangs_delays_no_other(tmp_path: Path) -> None:
    start = an_hour_ago()
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples/one.csv").write_text(f"temperature_celsius,{start + 5:.0f},99\n")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sources = {
            "slow": SourceSettings(
                name="slow", kind="prometheus", url=f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=3.0
            ),
            "quick": SourceSettings(name="quick", kind="files", path=str(tmp_path / "samples")),
        }
        names = tuple(f"{number:036}" for number in range(1500))
        slow = Rule(name="slow", source="slow", query="m{a='$id'}", identifiers=names, limits=(Limit("above", 1.0),))
        quick = Rule(name="quick", source="quick", metric="temperature_celsius", limits=(Limit("above", 70.0),))
        settings = BrokerSettings(url=f"filesystem://{tmp_path}/bus")
        with (
            installed(settings, [slow, quick], start) as made,
            evaluating(settings, judge([slow, quick], sources).judge),
        ):
            made.clock.advance(STEP)
            wait_for(lambda: (made.step(), made.incidents())[1])
            assert made.leader._sweep is not None
            assert made.leader._sweep.missing == len(names), "the slow one is still being waited for"
            wait_for(made.swept)
            assert [each.subject for each in made.incidents()] == ["quick"]
