"""The whole system: how late checks start and are stored at 10,000 checks every 10 s, three attempts each.

``python -m benchmarks.system [BROKER...] [--checks N] [--seconds S] [--actors N] [--sealed]`` starts each broker
on loopback, a director over SQLite and actors as processes of their own, and a server to check; then the same with
5 % of the checks at a server that takes connections and never answers. Late is measured from a round's due moment to
the start of its first attempt, and from the end of its last attempt to the commit that stored it; for the second run
over the checks that do not hang. CPU is each process's own, in cores.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from benchmarks.probe_engine import hanging, server
from tests.servers.programs import missing
from tests.servers.run import Run, shared

EVERY = 10.0
WARM_UP = 25.0
RECORD = struct.Struct("=?dddd")
"""Whether the check hangs, then Unix seconds: due, first attempt's start, last attempt's end, stored."""

RECORDING_DIRECTOR = """
import struct, sys, time
from nightowl.flows.collect import Intake

out, record, stored = open(sys.argv.pop(), "wb"), struct.Struct("=?dddd"), Intake.stored

def recording(intake):
    now = time.time()
    for each in (*intake.votes, *intake.late):
        last = each.attempts[-1]
        times = (each.due, each.attempts[0].started, last.started + last.duration, now)
        out.write(record.pack(each.check.startswith("hang"), *times))
    out.flush()
    return stored(intake)

Intake.stored = recording
from nightowl.cli import main
main()
"""


class Lateness(msgspec.Struct, frozen=True):
    """Seconds late at the 50th and the 99th percentile, of so many."""

    count: int
    middle: float
    high: float

    def __str__(self) -> str:
        return f"p50 {self.middle * 1000:6.1f} ms  p99 {self.high * 1000:6.1f} ms"


def lateness(values: list[float]) -> Lateness:
    """The percentiles of some seconds."""
    cuts = statistics.quantiles(values, n=100)
    return Lateness(len(values), cuts[49], cuts[98])


def configuration(folder: Path, broker: str, ports: tuple[int, int], checks: int, share: float, key: str) -> Path:
    """Write a configuration of so many checks, a share of which hang; ``ports``: of what answers, of what hangs."""
    hang = int(checks * share)
    lines = [
        f'[store]\nurl = "sqlite:///{folder}/nightowl.db"\n[bus]\nbroker = "{broker}"\n[location.here]',
        f'key = "{key}"' if key else "",
        f'allow = [{{ network = "127.0.0.1/32", ports = [{ports[0]}, {ports[1]}] }}]',
        f'[template.all]\nevery = "{EVERY:.0f}s"\ntimeout = "2s"',
    ]
    lines += [f'[check.hang-{n}]\nuse = "all"\nurl = "http://127.0.0.1:{ports[1]}/"' for n in range(hang)]
    lines += [f'[check.fine-{n}]\nuse = "all"\nurl = "http://127.0.0.1:{ports[0]}/"' for n in range(checks - hang)]
    path = folder / "nightowl.toml"
    path.write_text("\n".join(lines))
    return path


@contextmanager
def running(name: str, command: list[str], folder: Path) -> Iterator[int]:
    """A process of NightOwl's, with its log in the folder; its number."""
    environment = os.environ | {"STATE_DIRECTORY": str(folder)}
    with (folder / f"{name}.log").open("wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
    try:
        yield child.pid
    finally:
        os.killpg(child.pid, signal.SIGTERM)
        child.wait()


def cpu(process: int) -> float:
    """CPU seconds that a process and what it has started, however indirectly, have used so far."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = entry.read_text().rpartition(")")[2].split()
            parents[int(entry.parent.name)] = int(fields[1])
            ticks[int(entry.parent.name)] = int(fields[11]) + int(fields[12])
    tree = {process}
    while more := {child for child, parent in parents.items() if parent in tree} - tree:
        tree |= more
    return sum(ticks.get(each, 0) for each in tree) / os.sysconf("SC_CLK_TCK")


def records(path: Path, start: float, end: float) -> list[tuple[bool, float, float, float, float]]:
    """What the director stored of the rounds due in a span."""
    data = path.read_bytes()
    whole = RECORD.iter_unpack(data[: len(data) // RECORD.size * RECORD.size])
    return [each for each in whole if start <= each[1] < end]


def measure(kind: str, broker: str, server_process: int, options: argparse.Namespace, share: float) -> str:
    """Run the system over a broker, and say what was seen."""
    key = ""
    if options.sealed:
        key = subprocess.run(["nightowl", "keys", "new"], check=True, capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory() as name, server() as fine, hanging() as silent:
        folder = Path(name)
        path = configuration(folder, broker, (fine, silent), options.checks, share, key)
        nightowl = str(Path(sys.executable).with_name("nightowl"))
        subprocess.run([nightowl, "db", "migrate", "-c", str(path)], check=True, capture_output=True)
        actor = [nightowl, "actor", "-c", str(path), "--location", "here", "--processes", str(options.actors)]
        director = [sys.executable, "-c", RECORDING_DIRECTOR, "director", "-c", str(path), str(folder / "stored")]
        with running("actor", actor, folder) as acting, running("director", director, folder) as directing:
            time.sleep(WARM_UP)
            watched = {"director": directing, "actors": acting, "broker": server_process}
            start, before = time.time(), {each: cpu(process) for each, process in watched.items()}
            time.sleep(options.seconds)
            end, after = time.time(), {each: cpu(process) for each, process in watched.items()}
            time.sleep(EVERY)
            seen = records(folder / "stored", start, end)
    due = round(options.checks / EVERY * (end - start))
    others = [each for each in seen if not each[0]]
    cores = ", ".join(f"{each} {(after[each] - before[each]) / (end - start):.2f}" for each in watched)
    return (
        f"{kind}, {options.checks / EVERY:,.0f} checks/s, {share:.0%} hanging: {len(seen):,} stored of {due:,} due\n"
        f"  started late  {lateness([each[2] - each[1] for each in others])}\n"
        f"  stored late   {lateness([each[4] - each[3] for each in others])}\n"
        f"  cores: {cores}"
    )


def main() -> None:
    """Measure over each broker named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("brokers", nargs="*", default=["redis", "rabbitmq"])
    parser.add_argument("--checks", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--actors", type=int, default=1)
    parser.add_argument("--sealed", action="store_true")
    options = parser.parse_args()
    run = Run()
    try:
        for kind in options.brokers:
            if why := missing(kind):
                print(f"{kind}: left out, {why}")
                continue
            broker = shared(run.folder, kind)
            keeper = int((broker.folder / "keeper").read_text())
            for share in (0.0, 0.05):
                print(measure(kind, broker.fresh_url(), keeper, options, share), flush=True)
    finally:
        run.end()


if __name__ == "__main__":
    main()
