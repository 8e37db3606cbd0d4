"""Celery over Prometheus: the overview, tasks, queues and workers."""

from __future__ import annotations

from msgspec.structs import replace

from deploy.grafana.boards import ORANGE, RED, Board, Panel, Row, Variable
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
UP = {"0": ("down", RED), "1": ("up", "green")}


def boards() -> list[Board]:
    """All of them."""
    return [_overview(), _tasks(), _queues(), _workers()]


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


def _queues() -> Board:
    length = f"sum by (cluster, queue_name) (celery_queue_length{{{OF_QUEUES}}})"
    out = rate("celery_task_started_total", OF_QUEUES, "cluster, queue_name")

    def gauge(title: str, says: str, metric: str, unit: str = "short", how: str = "sum") -> Panel:
        query = f"{how} by (cluster, queue_name) ({metric}{{{OF_QUEUES}}})"
        return lines(title, says, {"{{queue_name}}": query}, unit)

    return Board(
        uid="nightowl-celery-queues",
        title="NightOwl: Celery queues",
        says="What waits in each queue, how old it is, and who takes it.",
        source="prometheus",
        variables=(JOB, CLUSTER, QUEUE),
        rows=(
            Row(
                "What waits",
                (
                    lines("Length", "Messages that wait.", {"{{queue_name}}": length}, steps=limits(100, 1000)),
                    gauge("With workers", "Messages that workers hold unacknowledged.", "celery_queue_unacked"),
                    gauge("For later", "Of these, the ones that are not due yet.", "celery_queue_scheduled"),
                    gauge(
                        "Oldest", "Age of the oldest message that waits.", "celery_queue_oldest_age_seconds", "s", "max"
                    ),
                    lines(
                        "Time to drain",
                        "Seconds until all that waits now has been started, at the present pace.",
                        {"{{queue_name}}": f"{length} / {out}"},
                        "s",
                    ),
                    lines(
                        "In and out",
                        "Tasks sent (needs task_send_sent_event) and started a second.",
                        {
                            "sent {{queue_name}}": rate("celery_task_sent_total", OF_QUEUES, "queue_name"),
                            "started {{queue_name}}": rate("celery_task_started_total", OF_QUEUES, "queue_name"),
                        },
                        "ops",
                    ),
                ),
            ),
            Row(
                "Who takes it",
                (
                    gauge("Consumers", "Consumers, where the broker tells.", "celery_active_consumer_count"),
                    gauge("Workers", "Workers that consume the queue.", "celery_active_worker_count"),
                    gauge("Processes", "Processes or threads of these.", "celery_active_process_count"),
                ),
            ),
        ),
    )


def _workers() -> Board:
    busy = f"sum by (worker) (celery_worker_tasks_active{{{IN_CLUSTER}}})"
    processes = f"sum by (worker) (celery_worker_processes{{{IN_CLUSTER}}})"
    failed, succeeded = (rate(f"celery_task_{each}_total", IN_CLUSTER, "worker") for each in ("failed", "succeeded"))

    def gauge(title: str, says: str, metric: str, unit: str = "short") -> Panel:
        query = f"max by (cluster, worker) ({metric}{{{IN_CLUSTER}}})"
        return lines(title, says, {"{{worker}}": query}, unit)

    def broker(title: str, says: str, metric: str, unit: str = "short") -> Panel:
        query = f"max by (cluster) ({metric}{{{IN_CLUSTER}}})"
        return replace(lines(title, says, {"{{cluster}}": query}, unit), width=6)

    return Board(
        uid="nightowl-celery-workers",
        title="NightOwl: Celery workers",
        says="Each worker: presence, load, memory, clock; and the broker.",
        source="prometheus",
        variables=(JOB, CLUSTER),
        rows=(
            Row("Presence", (_presence(),)),
            Row(
                "Load",
                (
                    lines("Running", "Tasks that run on each worker.", {"{{worker}}": busy}),
                    lines(
                        "Busy",
                        "Of the worker's processes, the share that runs a task.",
                        {"{{worker}}": f"{busy} / {processes}"},
                        "percentunit",
                        steps=((0.8, ORANGE), (1.0, RED)),
                    ),
                    lines("Done", "Tasks that succeed a second.", {"{{worker}}": succeeded}, "ops"),
                    lines(
                        "Failing",
                        "Of the tasks that ended, the share that failed.",
                        {"{{worker}}": f"{failed} / ({failed} + {succeeded})"},
                        "percentunit",
                    ),
                    gauge("Processes", "Processes or threads of the pool.", "celery_worker_processes"),
                    gauge("Prefetch", "Messages that the worker takes ahead.", "celery_worker_prefetch_count"),
                    gauge("Memory", "The most that its main process has taken.", "celery_worker_memory_bytes", "bytes"),
                    gauge("Clock", "Seconds by which it is fast.", "celery_worker_clock_skew_seconds", "s"),
                ),
            ),
            Row(
                "Broker",
                (
                    broker("Broker's memory", "Memory that the broker takes.", "celery_broker_memory_bytes", "bytes"),
                    broker("Clients", "Connections to the broker.", "celery_broker_clients"),
                    broker(
                        "Events held",
                        "Events that Redis holds for subscribers that have not read them.",
                        "celery_broker_pubsub_buffer_bytes",
                        "bytes",
                    ),
                    broker("Alarms", "Alarms that the broker has raised.", "celery_broker_alarms"),
                ),
            ),
        ),
    )


def _presence() -> Panel:
    return Panel(
        title="Workers",
        says="Which worker was heard when.",
        targets=(ask(f"max by (cluster, worker) (celery_worker_up{{{IN_CLUSTER}}})", "{{worker}}"),),
        kind="state-timeline",
        words=UP,
        width=24,
        height=6,
    )
