"""How fast tasks of a cluster are written, found, listed and counted, beside what plain SQL does in the same run.

``python -m benchmarks.tasks [TASKS]`` writes so many (5,000,000) into SQLite in batches as a watcher would, with their
words, and then asks as pages do. Beside it: the same rows packed into a table without any index (the floor of writing),
LIKE in place of the index of words, OFFSET in place of a place to go on from.
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from nightowl.adapters.store_sql.tasks import SqlTasks, open_tasks
from nightowl.core.cluster.task import Task, TaskFilter

START = 1_790_035_200.0
BATCH = 5_000
PER_SECOND = 10_000.0
NAMES = [
    f"shop.tasks.{name}"
    for name in ["charge", "refund", "email", "invoice", "export", "import", "sync", "resize", "notify", "clean"]
]
CITIES = ["london", "paris", "berlin", "madrid", "rome", "vienna", "oslo", "dublin", "lisbon", "prague"]
CLUSTER = "shop"
READS = 100
OVERWRITES = 20


def made(number: int, rng: random.Random) -> Task:
    """A task as it ends: one in twenty fails, at one of a few places."""
    seen = START + number / PER_SECOND
    failed = rng.random() < 0.05
    name = NAMES[min(int(rng.expovariate(0.5)), len(NAMES) - 1)]
    uid = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    return Task(
        uuid=uid,
        name=name,
        state="FAILURE" if failed else "SUCCESS",
        worker=f"celery@worker-{number % 20}",
        client="gen1@web-1",
        queue="celery",
        routing_key="celery",
        args=f"({number}, '{rng.choice(CITIES)}', 'user{rng.randrange(100_000)}@example.com')",
        kwargs=f"{{'order_id': {rng.randrange(10_000_000)}, 'retry': False}}",
        result=None if failed else f"{{'ok': True, 'amount': {rng.randrange(10_000) / 100}}}",
        exception="requests.exceptions.Timeout" if failed else "",
        error=f"Timeout('no answer from bank-{number % 7} after 30 s')" if failed else None,
        place=f"shop/tasks.py:{number % 9} in charge" if failed else "",
        traceback="Traceback (most recent call last):\n" + '  File "shop/tasks.py", line 31, in charge\n' * 12
        if failed
        else None,
        executions=1,
        root=uid,
        sent=seen - 0.02,
        received=seen,
        started=seen + 0.01,
        succeeded=None if failed else seen + 0.13,
        failed=seen + 0.13 if failed else None,
        runtime=0.12,
        wait=0.03,
        updated=seen + 0.13,
        seen=seen,
        clock=number,
    )


def batches(count: int) -> Iterator[list[Task]]:
    rng = random.Random(1)
    for first in range(0, count, BATCH):
        yield [made(number, rng) for number in range(first, min(first + BATCH, count))]


def write(store: SqlTasks, count: int) -> tuple[list[float], float]:
    """Write all; the seconds that each batch took, and those of CPU that all took."""
    seconds = []
    cpu = 0.0
    for batch in batches(count):
        began, used = time.perf_counter(), time.process_time()
        store.write(CLUSTER, batch)
        seconds.append(time.perf_counter() - began)
        cpu += time.process_time() - used
    return seconds, cpu


def write_plainly(path: Path, count: int) -> float:
    """The floor: packed rows into a table without an index; rows a second."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    database.execute("CREATE TABLE plain (uuid, name, state, seen, args, body)")
    encode = msgspec.msgpack.encode
    total = 0.0
    for batch in batches(count):
        began = time.perf_counter()
        rows = [(task.uuid, task.name, task.state, task.seen, task.args, encode(task)) for task in batch]
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT INTO plain VALUES (?, ?, ?, ?, ?, ?)", rows)
        database.execute("COMMIT")
        total += time.perf_counter() - began
    database.close()
    return count / total


def timed(what: str, read: Callable[[], object], times: int = READS) -> None:
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        read()
        seconds.append(time.perf_counter() - began)
    seconds.sort()
    p95 = seconds[min(int(len(seconds) * 0.95), len(seconds) - 1)]
    print(f"{what:58} p50 {statistics.median(seconds) * 1e3:9.2f} ms   p95 {p95 * 1e3:9.2f} ms")


def read(store: SqlTasks, count: int, path: Path) -> None:
    rng = random.Random(2)

    def page(**wanted: object) -> Callable[[], object]:
        return lambda: listed(**wanted)

    def listed(**wanted: object) -> object:
        return store.page(CLUSTER, TaskFilter(**wanted), after=None, limit=50)  # type: ignore[arg-type]

    def words(make: Callable[[], tuple[str, ...]]) -> Callable[[], object]:
        return lambda: store.page(CLUSTER, TaskFilter(words=make()), after=None, limit=50)

    deep = store.page(
        CLUSTER,
        TaskFilter(names=(NAMES[0],), states=("SUCCESS",), end=START + count / PER_SECOND / 10),
        after=None,
        limit=50,
    )
    sample = [task.uuid for task in store.page(CLUSTER, TaskFilter(), after=None, limit=1000).tasks]
    sample += [
        task.uuid
        for task in store.page(CLUSTER, TaskFilter(end=START + count / PER_SECOND / 2), after=None, limit=1000).tasks
    ]
    timed("newest 50", page())
    timed("newest 50 by name and state", lambda: listed(names=(rng.choice(NAMES),), states=("FAILURE",)))
    timed("newest 50 by name", lambda: listed(names=(rng.choice(NAMES),)))
    timed("newest 50 by state", page(states=("FAILURE",)))
    timed("newest 50 by worker", page(workers=("celery@worker-3",)))
    timed("newest 50 by exception", page(exception="requests.exceptions.Timeout"))
    timed(
        "a rare name and a worker that has none of it",
        page(names=(NAMES[-1],), workers=("celery@worker-3",), states=("LOST",)),
    )
    timed("a queue that all have, a place that few have", page(queues=("celery",), place="shop/tasks.py:3 in charge"))
    timed(
        "50 by name and state, nine tenths down",
        lambda: store.page(CLUSTER, TaskFilter(names=(NAMES[0],), states=("SUCCESS",)), after=deep.after, limit=50),
    )
    timed("one word that one task has", words(lambda: (str(rng.randrange(count)),)))
    timed("one word that a tenth have", words(lambda: (rng.choice(CITIES),)))
    timed("one word that all have", words(lambda: ("order_id",)))
    timed(
        "one that a tenth have, one that few have", words(lambda: (rng.choice(CITIES), f"user{rng.randrange(100_000)}"))
    )
    timed("two that a tenth have, never together", words(lambda: ("london", "paris")), 10)
    timed("the beginning of a word, five letters", words(lambda: (f"{rng.randrange(10_000, 99_999)}*",)), 20)
    timed("the beginning of a word, three letters", words(lambda: (f"{rng.randrange(100, 999)}*",)), 20)
    timed("the beginning of a word that all have", words(lambda: ("orde*",)), 5)
    timed("no such word", words(lambda: ("nosuchword",)))
    timed(
        "a word and a name",
        lambda: store.page(CLUSTER, TaskFilter(words=("timeout",), names=(NAMES[1],)), after=None, limit=50),
    )
    timed("get one by its id", lambda: store.get(CLUSTER, [rng.choice(sample)]))
    timed("get 50 by their ids", lambda: store.get(CLUSTER, rng.sample(sample, 50)))
    timed("count by state up to 10,000", lambda: store.count(CLUSTER, TaskFilter(states=("SUCCESS",)), 10_000))
    timed("failures of all time", lambda: store.failures(CLUSTER, 0.0, 50), 10)
    timed("failures of the last tenth", lambda: store.failures(CLUSTER, START + count / PER_SECOND * 0.9, 50), 10)
    timed(
        "sorted by run time (of the newest 10,000)",
        lambda: store.sorted_page(CLUSTER, TaskFilter(), by="runtime", descending=True, offset=0, limit=10),
        10,
    )
    database = sqlite3.connect(path)
    timed(
        "beside it: OFFSET, nine tenths down",
        lambda: database.execute(
            "SELECT id FROM tasks WHERE name = 1 AND state = 3 ORDER BY id DESC LIMIT 50 OFFSET ?",
            [int(count * 0.35)],
        ).fetchall(),
        5,
    )
    timed(
        "beside it: LIKE, no such word",
        lambda: database.execute(
            "SELECT id FROM tasks WHERE body LIKE '%nosuchword%' ORDER BY id DESC LIMIT 50"
        ).fetchall(),
        2,
    )
    database.close()


def overwrite(store: SqlTasks) -> None:
    """Write the newest tasks once more, as a watcher does with those that go on; and forget the oldest."""
    tasks = list(store.page(CLUSTER, TaskFilter(), after=None, limit=1000).tasks)
    timed("write 1,000 tasks again", lambda: store.write(CLUSTER, tasks), OVERWRITES)
    timed("forget 1,000 tasks", lambda: store.prune(0.0, 0, 1000), OVERWRITES)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "owl.tasks.db"
        store = open_tasks(f"sqlite:///{folder}/owl.db")
        seconds, cpu = write(store, count)
        last = seconds[-len(seconds) // 10 :]
        rate, ending = count / sum(seconds), len(last) * BATCH / sum(last)
        print(f"{count:,} tasks written at {rate:,.0f} a second, the last tenth at {ending:,.0f}", end="; ")
        print(f"{count / cpu:,.0f} a second of CPU; slowest batch {max(seconds):.2f} s")
        print(f"{store.size() / count:.0f} bytes a task")
        plain = write_plainly(Path(folder) / "plain.db", min(count, 500_000))
        print(f"the floor, packed rows without an index: {plain:,.0f} a second")
        read(store, count, path)
        overwrite(store)
        store.close()


if __name__ == "__main__":
    main()
