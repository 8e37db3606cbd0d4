"""A sink for each receiver that can be had here: its table, and what reads the receiver as its own users would."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tests.servers.graphite_server import Graphite
from tests.servers.programs import missing
from tests.servers.prometheus_server import Prometheus
from tests.servers.run import KINDS
from tests.servers.server import Server, free_ports
from tests.servers.statsd_server import Statsd
from tests.servers.victoria_metrics_server import VictoriaMetrics
from tests.services import receiver_counts as of
from tests.services.receiver_counts import CloudWatch, Counts, ascii_of, safe, tag

RECEIVERS = ("statsd", "graphite", "victoria_metrics", "prometheus")


class Pipe(NamedTuple):
    """Of a sink: what its table has that others do not, what is counted at its receiver, and how names stand there.

    ``receiver`` is its kind; empty: it is always there.
    """

    table: dict[str, Any]
    counts: Callable[[], Counts]
    name: Callable[[str], str] = str
    receiver: str = ""


class Receivers:
    """Servers for one test alone, of each kind that can be had; they start while the test goes on."""

    def __init__(self, folder: Path, threads: ThreadPoolExecutor) -> None:
        kinds = [kind for kind in RECEIVERS if not missing(kind)]
        self.servers: dict[str, Any] = {
            kind: KINDS[kind](folder, f"own-{kind}-{uuid.uuid4().hex[:8]}") for kind in kinds
        }
        self._threads = threads
        self._starts = [threads.submit(server.start) for server in self.servers.values()]
        self._scraped = free_ports(1)[0]

    def wait(self) -> None:
        """Wait until all have started, and let Prometheus scrape. Raises what kept one from it."""
        for start in self._starts:
            start.result()
        if "prometheus" in self.servers:
            self.servers["prometheus"].scrape(self._scraped)

    def all_at_once(self, kinds: set[str], does: Callable[[Server], None]) -> None:
        """Do something to those of these kinds that there are."""
        list(self._threads.map(does, [server for kind, server in self.servers.items() if kind in kinds]))

    def pipes(self, aws: str, folder: Path) -> dict[str, Pipe]:
        """Pipes by the names of sinks; two for StatsD, which is told by datagrams and by a stream."""
        made: dict[str, Callable[[Any], Iterator[tuple[str, Pipe]]]] = {
            "statsd": _to_statsd,
            "graphite": _to_graphite,
            "victoria_metrics": _to_victoria_metrics,
            "prometheus": self._to_prometheus,
        }
        found = {name: pipe for kind, server in self.servers.items() for name, pipe in made[kind](server)}
        files = Pipe({"kind": "files", "path": "samples"}, partial(of.of_files, folder / "samples"))
        return found | {"files": files, "aws": _to_cloudwatch(aws)}

    def _to_prometheus(self, prometheus: Prometheus) -> Iterator[tuple[str, Pipe]]:
        table = {"kind": "prometheus", "address": f"127.0.0.1:{self._scraped}"}
        yield "scraped", Pipe(table, partial(of.of_prometheus, prometheus.url), receiver="prometheus")


def _to_statsd(statsd: Statsd) -> Iterator[tuple[str, Pipe]]:
    datagrams = {"kind": "statsd", "address": f"udp://127.0.0.1:{statsd.port}"}
    yield "datagrams", Pipe(datagrams, partial(of.of_statsd, statsd), safe, "statsd")
    stream = {"kind": "statsd", "address": f"tcp://127.0.0.1:{statsd.ports[2]}", "dialect": "graphite"}
    yield "stream", Pipe(stream | {"prefix": "stream"}, partial(of.of_tagged_statsd, statsd, "stream"), tag, "statsd")


def _to_graphite(graphite: Graphite) -> Iterator[tuple[str, Pipe]]:
    table = {"kind": "graphite", "address": f"127.0.0.1:{graphite.ports[1]}"}
    yield "lines", Pipe(table, partial(of.of_graphite, graphite), safe, "graphite")


def _to_victoria_metrics(victoria: VictoriaMetrics) -> Iterator[tuple[str, Pipe]]:
    table = {"kind": "remote_write", "url": f"{victoria.url}/api/v1/write"}
    yield "written", Pipe(table, partial(of.of_prometheus, victoria.url), receiver="victoria_metrics")


def _to_cloudwatch(url: str) -> Pipe:
    dimensions = ["cluster", "name", "queue_name"]
    table = {"kind": "cloudwatch", "url": url, "region": of.REGION, "every": "10s", "dimensions": dimensions}
    return Pipe(table, CloudWatch(url).counts, ascii_of)


@contextmanager
def receivers(folder: Path) -> Iterator[Receivers]:
    """Receivers in a folder, of which nothing is left after the block."""
    with ThreadPoolExecutor(len(RECEIVERS)) as threads:
        found = Receivers(folder, threads)
        try:
            yield found
        finally:
            found.all_at_once(set(RECEIVERS), Server.remove)
