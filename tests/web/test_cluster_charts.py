"""What the charts and totals of a cluster say of series that its watcher stored."""

import pytest

from nightowl.core.cluster.figures import SUCCEEDED, Figures
from nightowl.core.cluster.sampling import Sampling
from nightowl.core.cluster.state import ClusterState, Worker
from nightowl.web.cluster_charts import SPANS, charts_of
from tests.web.conftest import NOW

BEGAN = NOW - 1085.0


class Watched:
    """A cluster whose figures are stored every ten seconds, as a watcher does."""

    def __init__(self, store):
        self.store = store
        self.figures = Figures()
        self.sampling = Sampling()

    def task(self, name, now, *, runtime=None):
        cell = self.figures.cell(name, "w@a", "celery", now)
        if runtime is None:
            self.figures.count_failed(cell, "Boom", now)
            return
        cell.counts[SUCCEEDED] += 1
        self.figures.observe_runtime(cell, runtime)

    def step(self, now):
        worker = Worker(name="w@a", up=True, heard=now, since=BEGAN)
        state = ClusterState(name="shop", at=now, since=BEGAN, workers=(worker,))
        with self.store.transaction() as unit:
            unit.series.append("watcher/shop", now + 9.5, self.sampling.step(self.figures, state, now))


@pytest.fixture
def shop(empty):
    found = Watched(empty.store)
    for number in range(38):
        found.task("shop.add", BEGAN + number / 10, runtime=0.02)
    for _ in range(6):
        found.task("shop.pay", BEGAN + 4)
    at = BEGAN + 5
    while at <= NOW:
        found.step(at)
        if at < NOW - 45:
            found.task("shop.add", at + 1, runtime=0.02)
            found.task("shop.pay", at + 1)
        if at == BEGAN + 105:
            found.task("shop.report", at + 1, runtime=25.0)
        at += 10
    return found


def drawn(watched, span):
    with watched.store.read() as unit:
        charts = charts_of(unit.series, "shop", span, NOW)
        return charts.rates(), charts.runtimes(), {each.name: each for each in charts.by_task()}


def test_every_span_that_holds_the_beginning_counts_the_same(shop):
    cell = shop.figures.cells["shop.pay", "w@a", "celery"]
    failed = cell.failed["Boom"].count
    for span in SPANS:
        tasks = drawn(shop, span)[2]
        assert (tasks["shop.pay"].failed, tasks["shop.pay"].ran) == (failed, failed)
        assert tasks["shop.add"].ran == shop.figures.cells["shop.add", "w@a", "celery"].counts[SUCCEEDED]
        assert tasks["shop.report"].ran == 1


def test_a_long_run_is_told_as_it_was(shop):
    assert drawn(shop, "1h")[2]["shop.report"].mean == 25.0
    longest = {line.name: max(value or 0.0 for _, value in line.points) for line in drawn(shop, "1h")[1].lines}
    assert longest["p99"] == 25.0


def test_rates_are_zero_once_nothing_comes_and_have_no_holes(shop):
    for line in drawn(shop, "1h")[0].lines:
        values = [value for _, value in line.points]
        begun = next(at for at, value in enumerate(values) if value is not None)
        last = max(at for at, value in enumerate(values) if value is not None)
        assert None not in values[begun : last + 1]
        assert values[last] == 0.0
        assert line.points[last][0] >= NOW - 10
