"""What folding an event costs, beside Celery's own ``events.State`` on the same stream in one run; a page of metrics.

``python -m benchmarks.fold [TASKS]`` makes the stream that prefork workers and clients with task-sent send for so many
tasks (100,000), in batches of 500 tasks whose events are mixed: four in five succeed, the others fail with a traceback
or are retried once. It is taken in by the fold alone, then with the copies of tasks that are to be written, and by
``State.event``, which gets its dictionaries ready-made; microseconds of CPU an event. Then milliseconds of CPU for one
page of 10,000 series.
"""

from __future__ import annotations

import statistics
import sys
import time
import uuid
from collections.abc import Iterator

import msgspec
from celery.events.state import State

from nightowl.core.cluster.events import Event, Intake
from nightowl.core.cluster.exposition import Exposition
from nightowl.core.cluster.figures import Figures
from nightowl.core.cluster.fold import Fold
from nightowl.core.cluster.state import ClusterState
from nightowl.core.cluster.workers import Workers

BATCH = 500
START = 1_790_000_000.0
TRACEBACK = """Traceback (most recent call last):
  File "/srv/venv/lib/python3.11/site-packages/celery/app/trace.py", line 479, in trace_task
    R = retval = fun(*args, **kwargs)
  File "/srv/shop/tasks.py", line 31, in charge
    raise Refused(card)
shop.errors.Refused: 4711
"""


def task(number: int, at: float) -> Iterator[Event]:
    """The events of one task."""
    uid, worker = str(uuid.UUID(int=number)), f"celery@web-{number % 8}"
    what = {"name": f"shop.tasks.task_{number % 40}", "args": f"({number}, 'some text')", "kwargs": "{'colour': 'red'}"}
    for retries in range(2 if number % 10 == 0 else 1):
        now = at + retries
        common = {"uuid": uid, "root_id": uid, "retries": retries}
        sent = {"queue": f"queue-{number % 4}", "exchange": "", "routing_key": f"queue-{number % 4}"}
        yield Event("task-sent", f"gen{number % 5}@client", now, **common, **what, **sent)
        yield Event("task-received", worker, now + 0.001, **common, **what)
        yield Event("task-started", worker, now + 0.002, uid)
        if number % 10 == 0 and not retries:
            yield Event("task-retried", worker, now + 0.05, uid, exception="Busy('later')", traceback=TRACEBACK)
        elif number % 10 == 5:
            yield Event("task-failed", worker, now + 0.05, uid, exception="Refused('4711')", traceback=TRACEBACK)
        else:
            yield Event("task-succeeded", worker, now + 0.05, uid, result="'done'", runtime=0.048)


def stream(tasks: int) -> list[Intake]:
    """Batches of events in order of time."""
    found = []
    for first in range(0, tasks, BATCH):
        at = START + first / 10_000
        events = [event for n in range(BATCH) for event in task(first + n, at + n / 10_000)]
        events.sort(key=lambda event: event.timestamp)
        found.append(Intake(at=events[-1].timestamp, events=events))
    return found


def fresh(intakes: list[Intake]) -> list[Intake]:
    """The same with texts of their own, as a decoder makes them."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(intakes), type=list[Intake])


def folded(intakes: list[Intake], *, written: bool) -> tuple[float, Fold]:
    """CPU seconds that a fold takes, and the fold."""
    fold = Fold(Figures(), Workers())
    began = time.process_time()
    for intake in intakes:
        fold.take([intake], intake.at)
        if written:
            fold.due(intake.at)
    return time.process_time() - began, fold


def by_state(intakes: list[Intake]) -> float:
    """CPU seconds that Celery's State takes."""
    state = State(max_tasks_in_memory=1_000_000)
    dictionaries = [
        {"utcoffset": 0, "pid": 1, "clock": n, "local_received": event.timestamp}
        | {name: value for name, value in msgspec.structs.asdict(event).items() if value is not None}
        for intake in intakes
        for n, event in enumerate(intake.events)
    ]
    began = time.process_time()
    for each in dictionaries:
        state.event(each)
    return time.process_time() - began


def page(series: int) -> tuple[int, float]:
    """How many lines a page with at least so many series has, and the CPU seconds that it takes (median)."""
    figures, cells = Figures(), 0
    while cells * 50 < series:
        cell = figures.cell(f"shop.tasks.task_{cells % 40}", f"celery@web-{cells // 40}", "celery", START)
        cell.counts[:] = range(len(cell.counts))
        figures.observe_runtime(cell, cells / 100)
        figures.observe_wait(cell, cells / 100)
        cells += 1
    exposition, state = Exposition(), ClusterState(name="shop", at=START, since=START)
    times = []
    for _ in range(15):
        began = time.process_time()
        text = exposition.render([(figures, state)])
        times.append(time.process_time() - began)
    return text.count("\n"), statistics.median(times)


def main() -> None:
    intakes = stream(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
    events = sum(len(intake.events) for intake in intakes)
    print(f"{events} events")
    for name, written in (("fold", False), ("fold, with copies to be written", True)):
        seconds, _ = folded(fresh(intakes), written=written)
        print(f"{name:40} {seconds / events * 1e6:6.2f} us an event")
    print(f"{'celery.events.State':40} {by_state(intakes) / events * 1e6:6.2f} us an event")
    lines, seconds = page(10_000)
    print(f"{f'a page of {lines} lines':40} {seconds * 1e3:6.2f} ms")


if __name__ == "__main__":
    main()
