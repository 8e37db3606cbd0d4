"""Bytes a sample on disk beside Prometheus' blocks of the same samples, and how long ranges take to read.

``python -m benchmarks.series [DAYS]`` stores days (14) of 127 series, one sample every 10 seconds with the jitter of a
poll: gauges, counters, percentages, memory, switches, and latencies both rounded to microseconds and as they come from
a clock. All are compacted as the leader does it. The first day goes to ``promtool tsdb create-blocks-from openmetrics``
as well (``apt-get install prometheus``; left out where it is missing), and eight series to plain rows of series, time
and value in SQLite, which is how samples were kept before.
"""

from __future__ import annotations

import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from nightowl.adapters.store_sql import SqlStore, open_store
from nightowl.adapters.store_sql.series.blocks import SIZE
from nightowl.core.frame import Floats, Frame
from nightowl.core.series import Series

START = 1_790_035_200.0
HOUR = 3600
EVERY = 10
POINTS = HOUR // EVERY
COUNT = 127  # two blocks, as numbers begin with 1
NAMES = [Series("benchmark_value", (("host", f"host-{n // 8:02}"), ("number", str(n)))) for n in range(COUNT)]
READS = 15


Kind = Callable[[np.random.Generator, float], Floats]
"""An hour of values that go on from the value before."""

KINDS: dict[str, Kind] = {
    "a queue": lambda rng, before: np.abs(before + (rng.poisson(5, POINTS) - rng.poisson(5, POINTS)).cumsum()),
    "a busy counter": lambda rng, before: before + rng.poisson(40, POINTS).cumsum(),
    "a counter of errors": lambda rng, before: before + (rng.random(POINTS) < 0.05).cumsum(),
    "memory, in pages": lambda rng, before: np.abs(before + np.round(rng.normal(0, 25, POINTS)).cumsum() * 4096),
    "a percentage": lambda rng, _: np.round(np.clip(rng.normal(20, 5, POINTS), 0, 100), 1),
    "a switch": lambda rng, _: (rng.random(POINTS) > 0.01).astype(np.float64),
    "a limit": lambda _, before: np.full(POINTS, before),
    "a latency in microseconds": lambda rng, _: np.round(rng.lognormal(-3, 0.5, POINTS), 6),
    "a latency as a clock says it": lambda rng, _: rng.lognormal(-3, 0.5, POINTS),
}
OF_SERIES = [list(KINDS)[n % 8 if n % 16 != 15 else 8] for n in range(COUNT)]


def hours(count: int) -> Iterator[tuple[Floats, Floats]]:
    """The times of each hour, and the values by series."""
    rng = np.random.default_rng(1)
    values = np.full((COUNT, POINTS), 1000.0)
    for hour in range(count):
        steps = START + hour * HOUR + EVERY * np.arange(1, POINTS + 1)
        times = np.round(steps - rng.uniform(0.002, 0.06, POINTS), 3)
        for n in range(COUNT):
            values[n] = KINDS[OF_SERIES[n]](rng, values[n, -1])
        yield times, values


def fill(store: SqlStore, rows: sqlite3.Connection, text: Path, count: int) -> list[float]:
    """Store all hours and compact them; the seconds of CPU that each turn of that took."""
    turns = []
    with store.transaction() as unit:
        numbers = unit.series.number(NAMES)
    by_series: list[list[str]] = [[] for _ in NAMES]
    for hour, (times, values) in enumerate(hours(count)):
        end = START + (hour + 1) * HOUR
        with store.transaction() as unit:
            unit.series.append_frame(
                "benchmark", end, Frame(np.repeat(numbers, POINTS), np.tile(times, COUNT), values.ravel())
            )
        for _ in range(COUNT // SIZE + 1):
            began = time.process_time()
            with store.transaction() as unit:
                assert unit.series.compact(end + 300, 1) == 1
            turns.append(time.process_time() - began)
        with rows:
            for n in range(8):
                rows.executemany(
                    "INSERT INTO samples VALUES (?, ?, ?)",
                    zip([n] * POINTS, times.tolist(), values[n].tolist(), strict=True),
                )
        if hour < 24:
            for n, lines in enumerate(by_series):
                lines += [
                    f"{NAMES[n]} {value!r} {at:.3f}\n"
                    for at, value in zip(times.tolist(), values[n].tolist(), strict=True)
                ]
        print(f"\rfilling the store: {(hour + 1) / count:4.0%}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    with text.open("w") as file:
        file.write("# TYPE benchmark_value gauge\n")
        for lines in by_series:
            file.writelines(lines)
        file.write("# EOF\n")
    return turns


def plain_rows(path: Path) -> sqlite3.Connection:
    """The table that samples were in before."""
    rows = sqlite3.connect(path)
    rows.execute("PRAGMA journal_mode=WAL")
    rows.execute(
        "CREATE TABLE samples (series_id INTEGER, time REAL, value REAL, PRIMARY KEY (series_id, time)) WITHOUT ROWID"
    )
    return rows


def prometheus_bytes(text: Path, folder: Path) -> int | None:
    """What promtool makes of the samples (None: it is not installed)."""
    if shutil.which("promtool") is None:
        return None
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(text), str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def size(store: SqlStore) -> int:
    """Bytes in use of the database file."""
    with store.read() as unit:
        return unit.retention.size()


def median_ms(read: Callable[[], object]) -> float:
    """The median of some reads, in milliseconds of CPU, as others may use the machine too."""
    took = []
    for _ in range(READS):
        began = time.process_time()
        read()
        took.append(time.process_time() - began)
    return statistics.median(took) * 1000


def read_both(store: SqlStore, rows: sqlite3.Connection, days: int) -> None:
    """Read an hour and everything of each of eight series, from NightOwl and from rows."""
    end = START + days * 86_400.0
    series = [dict(NAMES[n].labels) for n in range(8)]

    def hour_of_frames() -> None:
        with store.read() as unit:
            for where in series:
                assert len(unit.series.frame("benchmark_value", where, end - HOUR, end)) == POINTS

    def hour_of_rows() -> None:
        for n in range(8):
            query = "SELECT time, value FROM samples WHERE series_id = ? AND time > ? AND time <= ?"
            assert len(rows.execute(query, (n, end - HOUR, end)).fetchall()) == POINTS

    def rolled() -> None:
        with store.read() as unit:
            for where in series:
                [found] = unit.series.range("benchmark_value", where, START, end, HOUR).values()
                assert found.counts.tolist() == [POINTS] * (days * 24)

    def grouped() -> None:
        for n in range(8):
            query = """SELECT CAST((time - ?) / 3600 AS INTEGER) AS hour, MIN(value), MAX(value), AVG(value), COUNT(*)
                FROM samples WHERE series_id = ? GROUP BY hour"""
            assert len(rows.execute(query, (START, n)).fetchall()) == days * 24

    for name, ours, theirs in (("1 h, samples", hour_of_frames, hour_of_rows), (f"{days} d by hours", rolled, grouped)):
        mine, plain = median_ms(ours) / 8, median_ms(theirs) / 8
        print(f"{name}, one series: {mine:.2f} ms of CPU; from rows {plain:.2f} ms; {plain / mine:.1f} times as fast")


def main(days: int) -> None:
    """Fill, weigh and read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store, rows = open_store(f"sqlite:///{folder / 'owl.db'}", migrate=True), plain_rows(folder / "rows.db")
        empty = size(store)
        turns = fill(store, rows, folder / "day.om", days * 24)
        read_both(store, rows, days)
        samples = COUNT * POINTS * 24 * days
        whole = size(store) - empty
        with store.transaction() as unit:
            while unit.retention.prune("rollups", START + (days + 1) * 86_400, 100_000):
                pass
        alone = size(store) - empty
        print(f"compacting an hour of {SIZE} series: {statistics.median(turns) * 1000:.1f} ms of CPU (median)")
        print(f"NightOwl: {alone / samples:.2f} bytes a sample, and {(whole - alone) / samples:.2f} for rollups")
        pages, page = (rows.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        print(f"plain rows: {pages * page / (samples / COUNT * 8):.1f} bytes a sample")
        theirs = prometheus_bytes(folder / "day.om", folder / "blocks")
        if theirs is not None:
            day = theirs / (samples / days)
            print(f"Prometheus' blocks: {day:.2f} bytes a sample; NightOwl takes {alone / samples / day:.2f} of it")
        store.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 14)
