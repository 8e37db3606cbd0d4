"""A cluster with two workers on one host, two queues and some counts, for tests of what is shown of it."""

from __future__ import annotations

from nightowl.core.cluster.figures import SUCCEEDED, Figures
from nightowl.core.cluster.state import ClusterState, Queue, Worker

AT = 1_790_000_000.0


def state(at=AT, **fields):
    workers = (
        Worker(name="a@web", up=True, heard=AT, since=AT, active=2),
        Worker(name="b@web", up=False, heard=AT, since=AT, active=1),
    )
    queues = (Queue(name="mail", ready=7, unacked=3, age=1.5, processes=4), Queue(name="empty"))
    return ClusterState(name="shop", at=at, since=AT, workers=workers, queues=queues, **fields)


def some_figures():
    figures = Figures()
    for worker, count in (("a@web", 3), ("b@web", 2)):
        cell = figures.cell("shop.charge", worker, "mail", AT)
        cell.counts[SUCCEEDED] = count
        for _ in range(count):
            figures.observe_runtime(cell, 0.3)
        figures.observe_wait(cell, 0.05)
    figures.count_failed(figures.cell("shop.charge", "a@web", "mail", AT), "Boom", AT)
    for host in ("one", "two"):
        figures.count_sent("shop.charge", host, "mail", AT)
    figures.events["task-sent"] = 2
    figures.refused["garbage"] = 1
    return figures
