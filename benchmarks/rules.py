"""What rules cost: one cycle over 1,000, 10,000 and 100,000 series, beside Debian's Prometheus with equal rules.

``python -m benchmarks.rules [SERIES...] [--seconds S]`` lets both evaluate three rules every 10 s over the same number
of series, each with a sample every 10 s and an hour of history: a fixed limit, a median of the last 30 minutes, and a
mean of 5 minutes against that of 20 minutes before. One in a thousand breaks them in every third cycle. A cycle of
NightOwl is: take the samples in as a frame, forget what is old, evaluate, store the states that changed with their
incidents in SQLite. One of Prometheus is: scrape, store, evaluate. As its reading of text over HTTP has no counterpart
in ours, the ratio is given without scraping too: what it takes with the rules, less what it takes without them.

All figures are CPU seconds of the process, which other load on the machine hardly changes, and of all its threads.
It needs ``apt-get install prometheus``, and without it measures NightOwl alone.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np

from nightowl.adapters.store_sql import open_store
from nightowl.core.frame import Floats, Frame
from nightowl.core.limits import Limit, relative_limit
from nightowl.core.rule import Baseline, Rule
from nightowl.core.series import Series
from nightowl.core.vector.evaluation import Evaluation, needs
from nightowl.core.vector.head import Head
from nightowl.flows.standings import Standings
from nightowl.roles.gathering import spare_collector

HOST = "127.0.0.1"
EVERY = 10.0
HISTORY = 3600.0
AGO = 1200.0
LABELS = {"__name__": "m", "instance": "here", "job": "benchmark"}

RULES = {
    "fixed": Rule(name="fixed", metric="m", limits=(Limit("above", 200.0),)),
    "floating": Rule(
        name="floating",
        metric="m",
        strategy="floating",
        baseline=Baseline(of="median", over=1800.0),
        limits=(relative_limit("above", "+60%"),),
    ),
    "period": Rule(
        name="period",
        metric="m",
        strategy="period",
        average=300.0,
        compare=(AGO,),
        limits=(relative_limit("above", "+40%"),),
    ),
}

EQUAL = """
groups:
- name: equal
  interval: 10s
  rules:
  - {alert: fixed, expr: "m > 200"}
  - {alert: floating, expr: "m > 1.6 * quantile_over_time(0.5, m[30m] offset 10s)"}
  - alert: period
    expr: >-
      (avg_over_time(m[5m]) - avg_over_time(m[5m] offset 20m)) / abs(avg_over_time(m[5m] offset 20m)) > 0.4
"""

CONFIGURATION = """
global: {scrape_interval: 10s, evaluation_interval: 10s}
rule_files: [rules.yml]
"""

SCRAPE = """
scrape_configs:
- job_name: benchmark
  static_configs: [{targets: ["HOST:PORT"], labels: {instance: here}}]
"""


def values(random: np.random.Generator, series: int, cycle: int) -> Floats:
    found = np.round(random.normal(100.0, 8.0, series), 2)
    if cycle % 3 == 2:
        found[:: max(1000, series // 100)] = 300.0
    return found


# -- NightOwl --------------------------------------------------------------------------------------------------------


def nightowl(series: int, cycles: int, folder: Path) -> tuple[list[float], int]:
    """CPU seconds of each cycle, and the bytes of memory that the process has held at most."""
    store = open_store(f"sqlite:///{folder}/nightowl.db", migrate=True)
    with store.transaction() as unit:
        lease = unit.leases.acquire("director", "benchmark", 3600.0)
    assert lease is not None
    standings = Standings(store, lease)
    head = Head(needs(RULES.values()))
    evaluations = {name: Evaluation(rule, head) for name, rule in RULES.items()}
    random, numbers = np.random.default_rng(1), np.arange(1, series + 1)
    began = 1_790_000_000.0

    def frame(cycle: int) -> Frame:
        return Frame(numbers, np.full(series, began + cycle * EVERY), values(random, series, cycle))

    def names(found: Sequence[int]) -> dict[int, Series]:
        return {number: Series("m", (("n", str(number)),)) for number in found}

    past = round(HISTORY / EVERY)
    for cycle in range(past):
        head.take_frame(frame(cycle), names)
    spare_collector()
    spent = []
    for cycle in range(past, past + cycles):
        now, arriving, before = began + cycle * EVERY, frame(cycle), time.process_time()
        head.take_frame(arriving, names)
        for each in evaluations.values():
            each.hold()
        head.trim(now)
        standings.write(RULES, {name: each.at(now) for name, each in evaluations.items()}, (), "", now)
        for each in evaluations.values():
            each.settle()
        spent.append(time.process_time() - before)
    store.close()
    return spent[1:], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # the first sees 100,000 new series


def apart(series: int, cycles: int, folder: Path) -> tuple[list[float], int]:
    """The same in a process of its own, so that its memory is its own."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        spent, memory = nightowl(series, cycles, folder)
        os.write(write, np.array([*spent, memory]).tobytes())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answers:
        *spent, memory = np.frombuffer(answers.read()).tolist()
    os.waitpid(child, 0)
    return spent, int(memory)


# -- Prometheus ------------------------------------------------------------------------------------------------------


@contextmanager
def exporter(series: int) -> Iterator[int]:
    """A process that is scraped; its port."""
    listener = HTTPServer((HOST, 0), BaseHTTPRequestHandler)
    port = listener.server_address[1]
    child = os.fork()
    if not child:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        random, cycles = np.random.default_rng(1), iter(range(10**9))

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = values(random, series, next(cycles)).tolist()
                body = "".join(f'm{{n="{n}"}} {value}\n' for n, value in enumerate(found, start=1)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        listener.RequestHandlerClass = Answer
        listener.serve_forever()
    listener.server_close()
    try:
        yield port
    finally:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)


def written(first: int, last: int, now: float) -> bytes:
    """An hour of series by number, as the body of a remote write."""
    count = round(HISTORY / EVERY)
    sample = np.dtype([("head", "u1", 3), ("value", "<f8"), ("tag", "u1"), ("time", "u1", 6)])
    samples = np.zeros(count, sample)
    samples["head"], samples["tag"] = (0x12, 16, 0x09), 0x10
    times = ((now - HISTORY + EVERY * np.arange(1, count + 1)) * 1000).astype(np.int64)
    for byte in range(6):
        samples["time"][:, byte] = (times >> (7 * byte) & 0x7F) | (0x80 if byte < 5 else 0)
    random = np.random.default_rng(first)
    parts = []
    for number in range(first, last):
        samples["value"] = np.round(random.normal(100.0, 8.0, count), 2)
        labels = b"".join(
            _field(1, _field(1, name.encode()) + _field(2, value.encode()))
            for name, value in sorted({**LABELS, "n": str(number)}.items())
        )
        parts.append(_field(1, labels + samples.tobytes()))
    body = b"".join(parts)
    return _varint(len(body)) + b"\xfc" + (len(body) - 1).to_bytes(4, "little") + body  # snappy: all of it as it is


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


class Prometheus:
    """A private one, which at first neither scrapes nor has rules."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "prometheus.yml").write_text(CONFIGURATION)
        (folder / "rules.yml").write_text("groups: []\n")
        with socket.create_server((HOST, 0)) as free:
            self._port = int(free.getsockname()[1])
        self._process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address={HOST}:{self._port}",
                "--web.enable-remote-write-receiver",
                "--log.level=error",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while "Ready" not in self._ask("GET", "/-/ready"):
            time.sleep(0.1)

    def remember(self, series: int) -> None:
        """Give it an hour of history."""
        now = time.time()
        for first in range(1, series + 1, 500):
            answer = self._ask("POST", "/api/v1/write", written(first, min(first + 500, series + 1), now))
            if answer:
                raise RuntimeError(f"prometheus refused samples: {answer}")

    def scrape(self, port: int) -> None:
        """Let it scrape a port."""
        scraping = SCRAPE.replace("HOST", HOST).replace("PORT", str(port))
        (self._folder / "prometheus.yml").write_text(CONFIGURATION + scraping)
        self._process.send_signal(signal.SIGHUP)
        time.sleep(EVERY)

    def watch(self) -> None:
        """Let it evaluate the rules."""
        (self._folder / "rules.yml").write_text(EQUAL)
        self._process.send_signal(signal.SIGHUP)
        self._evaluated(2)

    def scraping(self, seconds: float) -> float:
        """CPU seconds of a scrape, from so many."""
        cpu, began = self._cpu(), time.monotonic()
        time.sleep(seconds)
        return (self._cpu() - cpu) / (time.monotonic() - began) * EVERY

    def evaluating(self, cycles: int, scraping: float) -> float:
        """CPU seconds of an evaluation, from so many, given those of a scrape.

        Where the machine is too slow for one every 10 seconds, there are fewer of them than scrapes.
        """
        first = self._evaluated(self._evaluated(0) + 1)
        cpu, began = self._cpu(), time.monotonic()
        last = self._evaluated(first + cycles)
        spent = self._cpu() - cpu - (time.monotonic() - began) / EVERY * scraping
        if failures := self._count("prometheus_rule_evaluation_failures_total"):
            raise RuntimeError(
                f"prometheus could not evaluate: {failures:.0f} failures\n{self._ask('GET', '/api/v1/rules')[:2000]}"
            )
        return spent / (last - first)

    def _evaluated(self, least: float) -> float:
        """How many evaluations there were, once they are so many."""
        deadline = time.monotonic() + 600.0
        while (count := self._count("prometheus_rule_group_iterations_total")) < least:
            if time.monotonic() > deadline:
                raise RuntimeError("prometheus does not evaluate the rules")
            time.sleep(1.0)
        return count

    @property
    def firing(self) -> int:
        """How many alerts there are."""
        return self._ask("GET", "/api/v1/alerts").count('"state":"firing"')

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()

    def _count(self, metric: str) -> float:
        found = [line for line in self._ask("GET", "/metrics").splitlines() if line.startswith(metric + "{")]
        return sum(float(line.rpartition(" ")[2]) for line in found)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> str:
        connection = HTTPConnection(HOST, self._port, timeout=60)
        with suppress(ConnectionRefusedError):
            connection.request(method, path, body, {"Content-Encoding": "snappy"} if body else {})
            return connection.getresponse().read().decode()
        return ""

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def compare(series: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spent, memory = apart(series, 30, Path(folder))
    ours = statistics.median(spent)
    longest = max(spent) * 1000
    print(f"{series:>9,} nightowl    {ours * 1000:8.1f} ms a cycle, longest {longest:.1f} ms, {memory >> 20} MiB")
    if not shutil.which("prometheus"):
        print("          prometheus is not installed: apt-get install prometheus")
        return
    with tempfile.TemporaryDirectory() as name, exporter(series) as port:
        prometheus = Prometheus(Path(name))
        try:
            prometheus.remember(series)
            prometheus.scrape(port)
            scraping = prometheus.scraping(seconds)
            prometheus.watch()
            evaluating, firing = prometheus.evaluating(round(seconds / EVERY), scraping), prometheus.firing
        finally:
            prometheus.stop()
    theirs = scraping + evaluating
    print(
        f"          prometheus  {theirs * 1000:8.1f} ms a cycle, {scraping * 1000:.1f} ms of it for the scrape", end=""
    )
    print(f"; {firing} alerts at the end")
    print(f"          ratio       {theirs / ours:8.1f} (without scraping {evaluating / ours:.1f})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("series", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    for series in arguments.series:
        compare(series, arguments.seconds)


if __name__ == "__main__":
    main()
