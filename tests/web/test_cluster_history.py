"""What the overview of a cluster tells of its past: right at any number of seconds, and gathered now and then."""

from __future__ import annotations

from nightowl.core.cluster.task import Task
from nightowl.testing.clock import ManualClock
from nightowl.testing.store import memory_tasks
from nightowl.web.cluster_charts import OfTask
from nightowl.web.cluster_history import NEWEST, Histories, History, _timed

NOW = 1_790_000_000.0


def test_percentiles_are_those_of_the_newest_runs_to_the_second():
    tasks = memory_tasks()
    runs = [Task(uuid=str(n), name="slow", state="SUCCESS", seen=NOW - n, runtime=25.0 + n) for n in range(NEWEST + 50)]
    tasks.write("shop", [*runs, Task(uuid="broken", name="slow", state="FAILURE", seen=NOW)])
    told = _timed(tasks, "shop", NOW - 3600, OfTask(name="slow", ran=9, failed=1, mean=30.0))
    assert (told.p50, told.p95, told.mean) == (124.0, 214.0, 30.0)
    assert _timed(tasks, "shop", NOW - 3600, OfTask(name="other", ran=9, failed=9)).p95 is None
    tasks.close()


def test_what_was_gathered_is_shown_for_a_while_and_longer_where_it_took_long():
    clock, calls = ManualClock(NOW), []

    def gather() -> History:
        calls.append(clock.monotonic())
        clock.advance(2.0)
        return History(charts=(), failing=(), slow=(), ran=len(calls), failed=0)

    histories = Histories()
    for passed, ran in ((0.0, 1), (19.0, 1), (2.0, 2)):
        clock.advance(passed)
        assert histories.get("shop", "1h", clock, gather).ran == ran
    assert histories.get("shop", "6h", clock, gather).ran == 3
    assert histories.get("mail", "1h", clock, gather).ran == 4
