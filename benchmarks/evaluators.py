"""Rules on a source: 10,000 identifiers every 10 s by Celery over Redis, against a real Prometheus.

``python -m benchmarks.evaluators [--identifiers N] [--seconds S]`` runs a director, one evaluator, Redis, Prometheus
and the page that it scrapes, all on this machine. The rule asks for each device by its UUID; every hundredth device is
too hot every other time, so that incidents open and are resolved. Missed is what had no result before the next instant.
The floor is the same requests of one instant with libcurl and nothing around them.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.system import cpu, running
from nightowl.adapters.sources.prometheus import source
from nightowl.adapters.store_sql import open_store
from nightowl.core.reading import Need, SourceSettings
from tests.servers.programs import missing
from tests.servers.prometheus_server import Prometheus
from tests.servers.run import Run, shared

STEP = 10.0
WARM_UP = 45.0


@contextmanager
def devices(names: list[str]) -> Iterator[int]:
    """A page with the temperature of each device; its port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hot = int(time.time() / STEP) % 2
            lines = (f'temperature_celsius{{device="{name}"}} {90 if hot and n % 100 == 0 else 20 + n % 40}\n'
                     for n, name in enumerate(names))  # fmt: skip
            body = "".join(lines).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def floor(url: str, names: list[str]) -> tuple[float, float]:
    """CPU seconds of this process and seconds in all that one instant's requests take with libcurl alone."""
    fetch = source(SourceSettings(name="floor", kind="prometheus", url=url, timeout=8.0))
    now = time.time() // STEP * STEP
    need = Need(
        name="heat", metric="temperature_celsius", where={"device": "$id"}, identifiers=tuple(names),
        windows=((now - 50, now),),
    )  # fmt: skip
    requests = list(dict.fromkeys(ask.request for ask in fetch._language.asks(need, need.identifiers)))  # noqa: SLF001
    costs, times = [], []
    for _ in range(5):
        began, before = time.monotonic(), time.process_time()
        answers = fetch._fetcher.fetch_all(requests, 10.0)  # noqa: SLF001
        costs.append(time.process_time() - before)
        times.append(time.monotonic() - began)
        if any(answer.status != 200 for answer in answers):
            raise SystemExit("Prometheus did not answer")
    return statistics.median(costs), statistics.median(times)


def configuration(folder: Path, broker: str, url: str, names: list[str]) -> Path:
    """Write the configuration of one rule on all devices."""
    (folder / "devices.txt").write_text("\n".join(names))
    path = folder / "nightowl.toml"
    path.write_text(
        f'[store]\nurl = "sqlite:///{folder}/nightowl.db"\n[bus]\nbroker = "{broker}"\n'
        f'[source.prom]\nkind = "prometheus"\nurl = "{url}"\n'
        '[rule.heat]\nsource = "prom"\nmetric = "temperature_celsius"\nwhere = { device = "$id" }\n'
        'identifiers = "devices.txt"\nabove = 80\n'
    )
    return path


def counted(folder: Path) -> dict[str, float]:
    """What the director has counted of its evaluations."""
    store = open_store(f"sqlite:///{folder}/nightowl.db", migrate=False)
    try:
        with store.read() as unit:
            return {each.metric: each.value for each in unit.series.latest(time.time() - 60)}
    finally:
        store.close()


def taken(folder: Path, start: float, end: float) -> list[float]:
    """How long the instants took, each from its moment to the last result."""
    store = open_store(f"sqlite:///{folder}/nightowl.db", migrate=False)
    try:
        with store.read() as unit:
            return [each.value for each in unit.series.window("nightowl_evaluate_seconds", {}, start, end)]
    finally:
        store.close()


def measure(run: Run, count: int, seconds: float) -> str:
    """Run the system, and say what was seen."""
    names = [str(uuid.uuid5(uuid.NAMESPACE_DNS, str(number))) for number in range(count)]
    redis = shared(run.folder, "redis")
    prometheus = Prometheus(run.folder, "prometheus")
    prometheus.interval = "10s"
    prometheus.start()
    nightowl = [sys.executable, "-m", "nightowl"]
    with tempfile.TemporaryDirectory() as name, devices(names) as port:
        folder = Path(name)
        prometheus.scrape(port)
        path = str(configuration(folder, redis.fresh_url(), prometheus.url, names))
        with (
            running("director", [*nightowl, "director", "-c", path], folder) as directing,
            running("evaluator", [*nightowl, "evaluator", "-c", path], folder) as evaluating,
        ):
            watched = {"director": directing, "evaluator": evaluating}
            watched |= {each.kind: int((each.folder / "keeper").read_text()) for each in (redis, prometheus)}
            time.sleep(WARM_UP)
            start, before, counts = time.time(), {each: cpu(pid) for each, pid in watched.items()}, counted(folder)
            time.sleep(seconds)
            end, after, then = time.time(), {each: cpu(pid) for each, pid in watched.items()}, counted(folder)
            bare = floor(prometheus.url, names)
        took = taken(folder, start, end)
    cycles = (end - start) / STEP
    costs = ", ".join(f"{each} {(after[each] - before[each]) / cycles:.2f}" for each in watched)
    sent, lost = (then[f"nightowl_evaluate_{each}_total"] - counts[f"nightowl_evaluate_{each}_total"]
                  for each in ("portions", "missed"))  # fmt: skip
    return (
        f"{count:,} identifiers every {STEP:.0f} s over Redis: {sent:,.0f} evaluated, {lost:,.0f} missed\n"
        f"  an instant is told after {statistics.median(took):.2f} s (median), {max(took):.2f} s (longest)\n"
        f"  CPU seconds a cycle: {costs}\n"
        f"  floor, the same requests alone: {bare[0]:.2f} CPU seconds, {bare[1]:.2f} s in all"
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--identifiers", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    if why := missing("prometheus"):
        print(f"left out, {why}")
        return
    run = Run()
    try:
        print(measure(run, options.identifiers, options.seconds))
    finally:
        run.end()


if __name__ == "__main__":
    main()
