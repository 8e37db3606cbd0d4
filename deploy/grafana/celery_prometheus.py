"""Celery over Prometheus: the overview and tasks."""

from __future__ import annotations

from msgspec.structs import replace

from deploy.grafana.boards import Board, Panel, Row, Variable
from deploy.grafana.prometheus import (
    ANY,
    CLUSTER,
    IN_CLUSTER,
    JOB,
    NAME,
    OF_QUEUES,
    OF_TASKS,
    QUEUE,
    ask,
    ask_now,
    figure,
    limits,
    lines,
    mean,
    quantile,
    rate,
)
from deploy.grafana.stages import EVENTS, STAGES, STEPS, WINDOWS, Stage

WINDOW = Variable(name="window", label="Window of stages", options=WINDOWS, several=False)
QUANTILES = (0.5, 0.95, 0.99)


def boards() -> list[Board]:
    """Both of them."""
    return [_overview(), _tasks()]


def _overview() -> Board:
    flow = {event: rate(f"celery_task_{event}_total", OF_TASKS) for event in EVENTS}
    return Board(
        uid="nightowl-celery-overview",
        title="NightOwl: Celery overview",
        says="What a Celery cluster does now, where its tasks stay, and what fails.",
        source="prometheus",
        variables=(JOB, CLUSTER, QUEUE, NAME, WINDOW),
        rows=(
            Row("Now", _now()),
            Row("Where tasks stay", tuple(_stage(stage) for stage in STAGES)),
            Row(
                "Flow",
                (
                    lines("Tasks a second", "What happened to tasks, by kind of event.", flow, "ops"),
                    _failing("name", "task"),
                    _failing("exception", "exception"),
                    _times("Runtime", "Seconds that tasks which succeeded ran.", "celery_task_runtime"),
                    _times("Wait", "Seconds from being sent, or due, to the start.", "celery_task_queue_wait_time"),
                    lines(
                        "Queues",
                        "Messages that wait.",
                        {"{{queue_name}}": f"sum by (queue_name) (celery_queue_length{{{OF_QUEUES}}})"},
                    ),
                ),
            ),
        ),
    )


def _now() -> tuple[Panel, ...]:
    failed, succeeded = (rate(f"celery_task_{each}_total", OF_TASKS) for each in ("failed", "succeeded"))
    lost = f"sum(increase(nightowl_events_lost_total{{{IN_CLUSTER}}}[$__range]))"
    return (
        figure("Workers up", "Workers that are heard.", f"sum(celery_worker_up{{{IN_CLUSTER}}})"),
        figure("Running", "Tasks that run now.", f"sum(celery_worker_tasks_active{{{IN_CLUSTER}}})"),
        figure(
            "Waiting", "Messages in all queues.", f"sum(celery_queue_length{{{OF_QUEUES}}})", steps=limits(100, 1000)
        ),
        figure("Done", "Tasks that succeed a second.", succeeded, "ops"),
        figure(
            "Failing",
            "Of the tasks that ended, the share that failed.",
            f"{failed} / ({failed} + {succeeded})",
            "percentunit",
            steps=limits(0.01, 0.05),
        ),
        figure("Events lost", "Events known to be lost in the time that is shown.", lost, steps=ANY),
    )


def _stage(stage: Stage) -> Panel:
    entered, *left = (
        f"sum(increase(celery_task_{event}_total{{{OF_TASKS}}}[$window]))" for event in (stage.entered, *stage.left)
    )
    panel = lines(stage.title, stage.says, {"difference": " - ".join([entered, *left])}, "short", steps=STEPS)
    return replace(panel, width=6)


def _failing(label: str, word: str) -> Panel:
    query = f"topk(10, {rate('celery_task_failed_total', OF_TASKS, label)})"
    return lines(f"Failures by {word}", f"The ten that fail most, by {word}.", {f"{{{{{label}}}}}": query}, "ops")


def _times(title: str, says: str, histogram: str) -> Panel:
    return lines(title, says, {f"p{share * 100:.0f}": quantile(share, histogram, OF_TASKS) for share in QUANTILES}, "s")


def _tasks() -> Board:
    by_name = {
        event: Panel(
            title=f"{event.capitalize()} a second",
            says=f"Tasks {event}, by name.",
            targets=(ask(rate(f"celery_task_{event}_total", OF_TASKS, "name"), "{{name}}"),),
            unit="ops",
            stacked=True,
        )
        for event in EVENTS
    }
    slowest = f"topk(10, {quantile(0.95, 'celery_task_runtime', OF_TASKS, 'name')})"
    longest = f"topk(10, {quantile(0.95, 'celery_task_queue_wait_time', OF_TASKS, 'name')})"
    return Board(
        uid="nightowl-celery-tasks",
        title="NightOwl: Celery tasks",
        says="Each task by its name: how often, how long, how often in vain.",
        source="prometheus",
        variables=(JOB, CLUSTER, QUEUE, NAME),
        rows=(
            Row("In the time that is shown", (_table(),)),
            Row("By event", tuple(by_name.values())),
            Row(
                "Time",
                (
                    lines("Slowest, p95", "Of ten tasks the 95th percentile of runtime.", {"{{name}}": slowest}, "s"),
                    lines(
                        "Mean runtime",
                        "Seconds that a task ran, by name.",
                        {"{{name}}": mean("celery_task_runtime", OF_TASKS, "name")},
                        "s",
                    ),
                    lines("Longest waits, p95", "From being sent, or due, to the start.", {"{{name}}": longest}, "s"),
                ),
            ),
            Row(
                "Failures", (_failing("name", "task"), _failing("exception", "exception"), _failing("worker", "worker"))
            ),
        ),
    )


def _table() -> Panel:
    counts = [
        ask_now(f"round(sum by (name) (increase(celery_task_{event}_total{{{OF_TASKS}}}[$__range])))")
        for event in EVENTS
    ]
    runtime = "sum by (name) (increase(celery_task_runtime_{part}{{{selected}}}[$__range]))"
    sums, number = (runtime.format(part=part, selected=OF_TASKS) for part in ("sum", "count"))
    return Panel(
        title="Tasks",
        says=f"By name: {', '.join(EVENTS)}, and the mean runtime in seconds.",
        targets=(*counts, ask_now(f"{sums} / {number}")),
        kind="table",
        joined="name",
        width=24,
        height=10,
    )
