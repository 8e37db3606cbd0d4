"""Panels that ask a Prometheus: what all of their queries have in common."""

from __future__ import annotations

from collections.abc import Mapping

from deploy.grafana.boards import ORANGE, RED, Panel, Steps, Target, Variable

IN_CLUSTER = 'job=~"$job", cluster=~"$cluster"'
OF_QUEUES = f'{IN_CLUSTER}, queue_name=~"$queue"'
OF_TASKS = f'{OF_QUEUES}, name=~"$name"'

JOB = Variable(name="job", label="Scrape job", query="label_values(celery_worker_up, job)", several=False)
"""One job alone: two that scrape the same clusters would count everything twice."""
CLUSTER = Variable(
    name="cluster", label="Cluster", query='label_values(celery_task_received_total{job=~"$job"}, cluster)'
)
NAME = Variable(name="name", label="Task", query=f"label_values(celery_task_received_total{{{IN_CLUSTER}}}, name)")
QUEUE = Variable(name="queue", label="Queue", query=f"label_values(celery_queue_length{{{IN_CLUSTER}}}, queue_name)")

ANY = ((1e-9, RED),)
"""Anything above nothing is bad."""


def ask(query: str, legend: str = "") -> Target:
    """A query over the time that is shown."""
    return Target(query={"expr": query, "legendFormat": legend or "__auto"})


def ask_now(query: str) -> Target:
    """A query for the end of the time that is shown, as a table."""
    return Target(query={"expr": query}, instant=True)


def lines(title: str, says: str, asked: Mapping[str, str], unit: str = "short", *, steps: Steps = ()) -> Panel:
    """Lines over time: queries by their legends."""
    targets = tuple(ask(query, legend) for legend, query in asked.items())
    return Panel(title=title, says=says, targets=targets, unit=unit, steps=steps)


def figure(title: str, says: str, query: str, unit: str = "short", *, steps: Steps = ()) -> Panel:
    """One number, with its line behind it."""
    return Panel(title=title, says=says, targets=(ask(query),), unit=unit, kind="stat", steps=steps, width=4, height=4)


def limits(orange: float, red: float) -> Steps:
    """Green below ``orange``, red from ``red`` on."""
    return ((orange, ORANGE), (red, RED))


def rate(metric: str, selected: str, by: str = "") -> str:
    """How often a second something is counted, summed by labels."""
    return f"{_sum(by)}(rate({metric}{{{selected}}}[$__rate_interval]))"


def quantile(share: float, histogram: str, selected: str, by: str = "") -> str:
    """The quantile of a histogram, by labels."""
    labels = f"{by}, le" if by else "le"
    buckets = f"sum by ({labels}) (rate({histogram}_bucket{{{selected}}}[$__rate_interval]))"
    return f"histogram_quantile({share}, {buckets})"


def mean(histogram: str, selected: str, by: str = "") -> str:
    """The mean of a histogram, by labels."""
    return f"{rate(f'{histogram}_sum', selected, by)} / {rate(f'{histogram}_count', selected, by)}"


def or_nothing(query: str) -> str:
    """The query, or 0 where it finds nothing, as is right for what was never counted."""
    return f"{query} or on() vector(0)"


def _sum(by: str) -> str:
    return f"sum by ({by}) " if by else "sum"
