"""What a fleet's recorded load comes to at each kind of receiver, all real: the counts are the plain count's."""

from __future__ import annotations

import csv
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from deploy.grafana.stages import STAGES
from nightowl.config import load
from nightowl.core.cluster.figures import Figures
from nightowl.core.cluster.sampling import Sampling
from nightowl.core.series import parse
from nightowl.core.sinks.names import LABELS, METRICS
from nightowl.roles.installation import Installation
from nightowl.roles.sinks import SinksRole
from nightowl.testing.store import memory_store
from tests.adapters.celery_cluster.test_recordings import folded, plainly_counted
from tests.celery_fleet import recording
from tests.conftest import FOLDER
from tests.core.sample_cluster import state
from tests.servers.graphite_server import Graphite
from tests.servers.programs import missing
from tests.servers.prometheus_server import Prometheus
from tests.servers.run import shared
from tests.servers.server import free_ports
from tests.servers.statsd_server import Statsd
from tests.servers.victoria_metrics_server import VictoriaMetrics
from tests.services.receiver_counts import (
    KEYS,
    REGION,
    CloudWatch,
    Counts,
    ascii_of,
    asked,
    moto,
    named,
    of_files,
    of_graphite,
    of_prometheus,
    of_statsd,
    of_tagged_statsd,
    safe,
    tag,
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of boto3 and moto

PATIENCE = 20.0

ODD = ("fleet.ignore", "fleet.unknown", "fleet.sleep")
"""Tasks of the fleet of which one has no end, or an end without having been received."""


class Fed(NamedTuple):
    """The receivers that can be had here, by the marker of their tests, and what each must show of the load.

    ``counts`` are by stage, task and queue; ``runtimes`` their number and sum (seconds), by task and queue.
    """

    servers: dict[str, Any]
    folder: Path
    counts: Counts
    runtimes: dict[tuple[str, str], tuple[float, float]]
    role: SinksRole


def until(found: Callable[[], object], wanted: object) -> None:
    """Wait until something is what is wanted."""
    deadline = time.monotonic() + PATIENCE
    while (now := found()) != wanted:
        assert time.monotonic() < deadline, (now, wanted)
        time.sleep(0.1)


@pytest.fixture(scope="module")
def cloudwatch() -> Iterator[str]:
    pytest.importorskip("moto.server", reason="moto is not installed")
    with moto() as url:
        yield url


@pytest.fixture(scope="module")
def servers(pytestconfig: pytest.Config, cloudwatch: str) -> dict[str, Any]:
    folder = pytestconfig.stash[FOLDER]
    kinds = ("statsd", "graphite", "prometheus", "victoria_metrics")
    return {kind: shared(folder, kind) for kind in kinds if not missing(kind)} | {"cloudwatch": cloudwatch}


@pytest.fixture(scope="module")
def fed(servers: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fed]:
    """Sinks of all kinds over a store in which a cluster is seen and then has its load; they run until the end."""
    folder = tmp_path_factory.mktemp("sinks")
    servers["scraped"] = free_ports(1)[0]
    file = folder / "nightowl.toml"
    file.write_text("".join(tables(servers)))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        installation = Installation(fixed=load(file))
        installation.__dict__["store"] = memory_store()
        role, stop, sampling = SinksRole(installation), threading.Event(), Sampling()

        def see(figures: Figures) -> None:
            now = time.time()
            with installation.store.transaction() as unit:
                unit.series.append("watcher/shop", now, sampling.step(figures, state(now), now))

        see(Figures())
        thread = threading.Thread(target=role.run, args=(stop,))
        thread.start()
        try:
            names = installation.current().sinks.keys()
            until(lambda: {name for name, count in sent(role).items() if count}, set(names))
            if prometheus := servers.get("prometheus"):
                prometheus.scrape(servers["scraped"])
                until(lambda: values(prometheus.url, "count(owl_celery_queue_length)") != [], wanted=True)
            recorded = recording.load("redis-prefork")
            fold, _ = folded(recorded)
            see(fold.figures)
            yield Fed(servers, folder, counted(recorded), timed(fold.figures), role)
        finally:
            stop.set()
            thread.join()


def counted(recorded: recording.Recording) -> Counts:
    found: Counts = Counter()
    for key, count in plainly_counted(recorded).items():
        found[key.stage, key.name, key.queue] += count
    return found


def timed(figures: Figures) -> dict[tuple[str, str], tuple[float, float]]:
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for cell in figures.cells.values():
        number = sum(tally.count for tally in cell.runtime.tallies.values())
        if number:
            before = found.get((cell.name, cell.queue), (0, 0.0))
            found[cell.name, cell.queue] = (before[0] + number, before[1] + cell.runtime.sum)
    return found


def tables(servers: dict[str, Any]) -> Iterator[str]:
    if statsd := servers.get("statsd"):
        yield f'[sink.udp]\nkind = "statsd"\naddress = "udp://127.0.0.1:{statsd.port}"\nevery = "1s"\n'
        yield f'[sink.tcp]\nkind = "statsd"\naddress = "tcp://127.0.0.1:{statsd.ports[2]}"\nevery = "1s"\n'
        yield 'dialect = "graphite"\nprefix = "stream"\ntimer_values = 2\nlabels = { env = "test" }\n'
    if graphite := servers.get("graphite"):
        yield f'[sink.lines]\nkind = "graphite"\naddress = "127.0.0.1:{graphite.ports[1]}"\nevery = "1s"\n'
        yield f'[sink.pickles]\nkind = "graphite"\naddress = "127.0.0.1:{graphite.ports[3]}"\nevery = "1s"\n'
        yield 'protocol = "pickle"\nprefix = "pickled"\n'
    if victoria := servers.get("victoria_metrics"):
        yield f'[sink.written]\nkind = "remote_write"\nurl = "{victoria.url}/api/v1/write"\nevery = "1s"\n'
    yield f'[sink.scraped]\nkind = "prometheus"\naddress = "127.0.0.1:{servers["scraped"]}"\nevery = "1s"\n'
    yield 'prefix = "owl_"\nlabels = { queue = "{queue_name}" }\n'
    yield '[sink.files]\nkind = "files"\npath = "samples"\nevery = "1s"\n'
    yield f'[sink.aws]\nkind = "cloudwatch"\nurl = "{servers["cloudwatch"]}"\nregion = "{REGION}"\nevery = "10s"\n'
    yield 'metrics = "celery_*"\ndimensions = ["cluster", "name", "queue_name"]\n'
    yield "thresholds = { mail = 7, empty = 1 }\n"


def sent(role: SinksRole) -> dict[str, float]:
    found = [each for each in role.figures() if each.metric == "nightowl_sink_samples_total"]
    return {dict(each.labels)["sink"]: each.value for each in found}


def formulas(page: str) -> list[str]:
    """What a page shows of differences, each without its line ends."""
    text = Path(__file__).parents[2].joinpath("docs", f"{page}.md").read_text()
    return ["".join(each.split()) for each in re.findall(r"```\n(diffSeries.*?)```", text, re.DOTALL)]


def values(url: str, query: str) -> list[float]:
    """What an API as Prometheus' answers now."""
    return [float(each["value"][1]) for each in asked(f"{url}/api/v1/query?query={quote(query)}")["data"]["result"]]


@pytest.mark.statsd
def test_statsd_has_counted_the_load_and_timed_it(fed: Fed) -> None:
    statsd: Statsd = fed.servers["statsd"]
    until(lambda: of_statsd(statsd), named(fed.counts, safe))
    names = {f"nightowl.shop.celery_task_runtime.{safe(n)}.{safe(q)}": found for (n, q), found in fed.runtimes.items()}
    timers = statsd.timers()
    for name, (count, total) in names.items():
        assert timers[name] == (pytest.approx(count), pytest.approx(total * 1000, rel=1e-6))
    assert statsd.gauges()["nightowl.shop.celery_queue_length.mail"] == 7
    assert statsd.counters()["statsd.bad_lines_seen"] == 0


@pytest.mark.statsd
def test_statsd_counts_the_same_over_a_stream_with_tags_and_two_durations_for_all(fed: Fed) -> None:
    statsd: Statsd = fed.servers["statsd"]
    tags = "cluster=shop;env=test;name={};queue_name={}"
    until(lambda: of_tagged_statsd(statsd, "stream"), named(fed.counts, tag))
    timers = statsd.timers()
    for (name, queue), (count, total) in fed.runtimes.items():
        tags = f"cluster=shop;env=test;name={tag(name)};queue_name={tag(queue)}"
        found = timers[f"stream.celery_task_runtime;{tags}"]
        assert found == (pytest.approx(count), pytest.approx(total * 1000, rel=1e-6))


@pytest.mark.graphite
@pytest.mark.parametrize("prefix", ["nightowl", "pickled"])
def test_graphite_draws_the_load_by_the_default_paths(fed: Fed, prefix: str) -> None:
    graphite: Graphite = fed.servers["graphite"]
    until(lambda: of_graphite(graphite, prefix), named(fed.counts, safe))


@pytest.mark.victoria_metrics
def test_victoria_metrics_takes_remote_writes_of_it(fed: Fed) -> None:
    victoria: VictoriaMetrics = fed.servers["victoria_metrics"]
    until(lambda: of_prometheus(victoria.url), fed.counts)
    answer = asked(f"{victoria.url}/api/v1/query?query=celery_task_runtime_count")
    found = {(e["metric"]["name"], e["metric"]["queue_name"]): float(e["value"][1]) for e in answer["data"]["result"]}
    assert found == {key: count for key, (count, _) in fed.runtimes.items()}


@pytest.mark.prometheus
def test_prometheus_scrapes_it_as_open_metrics_with_renamed_labels(fed: Fed) -> None:
    prometheus: Prometheus = fed.servers["prometheus"]
    until(lambda: of_prometheus(prometheus.url, "owl_", "queue"), fed.counts)
    kinds = asked(f"{prometheus.url}/api/v1/metadata?metric=owl_celery_task_runtime")
    assert [each["type"] for each in kinds["data"]["owl_celery_task_runtime"]] == ["histogram"]


@pytest.mark.prometheus
def test_prometheus_counts_the_first_burst_of_each_task_by_scrape(fed: Fed) -> None:
    prometheus: Prometheus = fed.servers["prometheus"]
    until(lambda: of_prometheus(prometheus.url, "owl_", "queue"), fed.counts)
    failed = "owl_celery_task_failed_total"
    assert set(values(prometheus.url, f"min_over_time({failed}[5m])")) == {0.0}
    assert min(values(prometheus.url, f"increase({failed}[5m])")) > 0


@pytest.mark.victoria_metrics
def test_what_is_written_begins_at_0(fed: Fed) -> None:
    victoria: VictoriaMetrics = fed.servers["victoria_metrics"]
    until(lambda: of_prometheus(victoria.url), fed.counts)
    assert set(values(victoria.url, "min_over_time(celery_task_failed_total[5m])")) == {0.0}


@pytest.mark.graphite
def test_what_graphite_draws_begins_at_0(fed: Fed) -> None:
    graphite: Graphite = fed.servers["graphite"]
    until(lambda: of_graphite(graphite), named(fed.counts, safe))
    target = "nightowl.shop.celery_task_failed_total.*.*.*"
    for each in asked(f"{graphite.url}/render?format=json&from=-5min&target={target}"):
        assert next(value for value, _ in each["datapoints"] if value is not None) == 0.0


@pytest.mark.graphite
@pytest.mark.parametrize("page", ["graphite", "grafana"])
def test_received_less_finished_as_the_pages_draw_it_is_0_when_all_tasks_have_finished(fed: Fed, page: str) -> None:
    graphite: Graphite = fed.servers["graphite"]
    until(lambda: of_graphite(graphite), named(fed.counts, safe))
    [formula] = formulas(page)
    names = ",".join(sorted({safe(name) for _, name, _ in fed.counts if name not in ODD}))
    target = quote(re.sub(r"(_total)\.\*", rf"\1.{{{names}}}", formula))

    def last() -> float:
        [drawn] = asked(f"{graphite.url}/render?format=json&from=-5min&target={target}")
        return [float(value) for value, _ in drawn["datapoints"] if value is not None][-1]

    until(last, 0.0)  # carbon may be writing the newest points


@pytest.mark.parametrize("page", ["graphite", "grafana", "statsd"])
def test_received_less_finished_takes_all_ends_away(fed: Fed, page: str) -> None:
    [formula] = formulas(page)
    found = re.findall(r"celery_task_(?:(\w+)|{([\w,]+)})_total", formula)
    assert_comes_to_0(fed, *[stage for one, several in found for stage in (one or several).split(",")])


def test_received_less_finished_on_the_dashboards_takes_all_ends_away(fed: Fed) -> None:
    [stage] = [each for each in STAGES if each.title == "Received, not finished"]
    assert_comes_to_0(fed, stage.entered, *stage.left)


def assert_comes_to_0(fed: Fed, entered: str, *left: str) -> None:
    assert entered == "received"
    finished = Counter({key: count for key, count in fed.counts.items() if key[1] not in ODD})
    assert sum(count for key, count in finished.items() if key[0] == entered) > 0
    assert sum((-1 if key[0] in left else key[0] == entered) * count for key, count in finished.items()) == 0


def test_the_source_of_files_reads_what_the_sink_of_files_has_written(fed: Fed) -> None:
    until(lambda: of_files(fed.folder / "samples"), fed.counts)


def test_all_that_is_sent_is_known_by_name(fed: Fed) -> None:
    files = (fed.folder / "samples").iterdir()
    rows = [line for file in files for line in file.read_text().splitlines()[1:]]
    series = [parse(text) for text in {next(csv.reader([row]))[0] for row in rows}]
    assert {metric for metric, _ in series} - METRICS == set()
    assert {name for _, labels in series for name, _ in labels} - LABELS == set()


def test_cloudwatch_has_sums_statistics_and_the_status_of_queues(fed: Fed) -> None:
    cloudwatch = CloudWatch(fed.servers["cloudwatch"])
    statistic = cloudwatch.statistic
    until(cloudwatch.counts, named(fed.counts, ascii_of))
    for (name, queue), (number, total) in fed.runtimes.items():
        task = {"cluster": "shop", "name": ascii_of(name), "queue_name": queue}
        assert statistic("celery_task_runtime", "SampleCount", **task) == number
        assert statistic("celery_task_runtime", "Sum", **task) == pytest.approx(total)
    assert statistic("QueueStatus", "Maximum", cluster="shop", queue_name="mail") == 1.0
    assert statistic("QueueStatus", "Maximum", cluster="shop", queue_name="empty") == 0.0
    cloudwatch.close()


def test_sinks_tell_what_they_have_sent(fed: Fed) -> None:
    found = {(each.metric, dict(each.labels)["sink"]): each.value for each in fed.role.figures()}
    names = {sink for _, sink in found}
    assert {"scraped", "files", "aws"} <= names
    assert all(found["nightowl_sink_up", name] == 1.0 for name in names)
    assert all(found["nightowl_sink_samples_total", name] > 0 for name in names)
