"""What directing, collecting and closing cost: CPU a check at 1,000 checks a second, with an SQLite store.

The floor is the rows alone: the same outcomes and rounds by ``sqlite3`` itself, in transactions of the same size.
Usage: ``python -m benchmarks.director [CHECKS [SECONDS]]``.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from nightowl.adapters.clock import SystemClock
from nightowl.adapters.store_sql import open_store
from nightowl.config import rule_from_spec
from nightowl.core.values import Attempt, Check, Job, Location, Phases, State, Target
from nightowl.flows.lead import Leader
from nightowl.flows.leadership import Parts, Plan
from nightowl.ports import Store, StoredCheck
from nightowl.roles.gathering import spare_collector
from nightowl.testing.bus import ListBus, answer

TARGET = Target(kind="http", url="http://shop.example/some/path", timeout=2.0)
EVERY = 10.0
WARM_UP = 12.0
TICK = 0.05


def compiled(stored: StoredCheck) -> Check:
    return Check(name=stored.name, target=TARGET, locations=("london",), every=EVERY)


def attempt(_location: str, job: Job) -> Attempt:
    phases = Phases(dns=0.0, connect=0.001, first_byte=0.01, transfer=0.001)
    return Attempt(state=State.UP, started=job.due, duration=0.012, phases=phases, status=200, address="127.0.0.1")


def ticks(leader: Leader, bus: ListBus, seconds: float) -> Iterator[tuple[float, int]]:
    """Yield the CPU seconds of each turn, and how many checks it sent; an actor answers between turns, uncounted."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        coming = time.monotonic() + TICK
        began = time.thread_time()
        leader.tick()
        spent = time.thread_time() - began
        yield spent, sum(len(batch.jobs) for batch in bus.sent)
        answer(bus, attempt)
        time.sleep(max(0.0, coming - time.monotonic()))


def measure(store: Store, checks: int, seconds: float) -> tuple[float, float, float]:
    """Return CPU seconds a check, the share of a core, and the longest turn in CPU seconds."""
    with store.transaction() as unit:
        for n in range(checks):
            unit.checks.put(StoredCheck(name=f"check-{n}", origin="file", paused=False, spec={"url": TARGET.url}))
    bus = ListBus()
    plan = Plan(locations={"london": Location(name="london")}, routes=())
    parts = Parts(
        store=store,
        bus=bus,
        clock=SystemClock(),
        compile_check=compiled,
        compile_rule=lambda stored: rule_from_spec(stored.name, stored.spec),
        plan=lambda: plan,
        ears=lambda _cluster, _since: None,
    )
    leader = Leader(parts, holder="benchmark")
    for _ in ticks(leader, bus, WARM_UP):
        pass
    spare_collector()
    turns = list(ticks(leader, bus, seconds))
    leader.stop()
    spent = sum(cpu for cpu, _ in turns)
    return spent / sum(sent for _, sent in turns), spent / seconds, max(cpu for cpu, _ in turns)


def floor(folder: Path, rows: int, batch: int) -> float:
    """Return the CPU seconds a check of writing an outcome, its attempts and a round with nothing around them."""
    connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    for name in ("outcomes", "attempts", "rounds"):
        connection.execute(
            f"CREATE TABLE {name} (a INTEGER, b INTEGER, c INTEGER, data BLOB, PRIMARY KEY (a, b, c)) WITHOUT ROWID"
        )
    data = b"x" * 150
    began = time.thread_time()
    for start in range(0, rows, batch):
        connection.execute("BEGIN IMMEDIATE")
        for name in ("outcomes", "attempts", "rounds"):
            connection.executemany(
                f"INSERT INTO {name} VALUES (?, ?, 1, ?)", [(n % 10_000, n, data) for n in range(start, start + batch)]
            )
        connection.execute("COMMIT")
    spent = time.thread_time() - began
    connection.close()
    return spent / rows


def main() -> None:
    checks = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/nightowl.db", migrate=True)
        each, share, longest = measure(store, checks, seconds)
        store.close()
        bare = floor(Path(folder), 20_000, max(1, round(checks / EVERY * TICK)))
    print(f"{checks / EVERY:,.0f} checks/s, three attempts each, one location, SQLite")
    print(f"director: {each * 1e6:6.1f} us a check, {share:.3f} of a core, longest turn {longest * 1000:.0f} ms of CPU")
    print(f"floor:    {bare * 1e6:6.1f} us a check; ratio {each / bare:.1f}")


if __name__ == "__main__":
    main()
