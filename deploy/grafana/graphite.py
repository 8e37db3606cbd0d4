"""Celery, checks and NightOwl itself over Graphite, by the default paths of the ``graphite`` sink.

These are ``PREFIX.CLUSTER.METRIC.LABELS``, where a series without a cluster has no such part. Labels are in a fixed
order: a task's name and its queue, a worker's host and its name, an exception, a check, its location and the phase.
Every letter but ``A-Z a-z 0-9 _ -`` is ``_``. Counters are cumulative, so that a lost point loses nothing:
``perSecond`` and ``nonNegativeDerivative`` make rates of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from deploy.grafana.boards import GREEN, ORANGE, RED, Board, Panel, Row, Steps, Target, Variable
from deploy.grafana.stages import EVENTS, STAGES, STEPS, Stage

OF_CLUSTER = "$prefix.$cluster.celery"
"""What the paths of a cluster's metrics begin with."""

PREFIX = Variable(name="prefix", label="Prefix", options=("nightowl",), several=False)
CLUSTER = Variable(name="cluster", label="Cluster", query="$prefix.*", matching="/^(?!(check|nightowl)_)/")
NAME = Variable(name="name", label="Task", query="$prefix.$cluster.celery_task_received_total.*")
QUEUE = Variable(name="queue", label="Queue", query="$prefix.$cluster.celery_queue_length.*")
WINDOW = Variable(name="window", label="Window of stages", options=("15min", "5min", "1hour", "6hours"), several=False)
CHECK = Variable(name="check", label="Check", query="$prefix.check_up.*")
LOCATION = Variable(name="location", label="Location", query="$prefix.check_up.$check.*")


def boards() -> list[Board]:
    """All of them."""
    return [_overview(), _tasks(), _queues(), _workers(), _checks(), _itself()]


def counter(event: str, name: str = "$name") -> str:
    """The paths of an event's counters: of failures there is one for each exception."""
    return f"{OF_CLUSTER}_task_{event}_total.{name}.$queue{'.*' if event == 'failed' else ''}"


def gauge(metric: str) -> str:
    """The paths of a queue's gauge, shown by the queue."""
    return f"aliasByNode({OF_CLUSTER}_{metric}.$queue, 3)"


def rate(paths: str, node: int, word: str = "") -> str:
    """How often a second something is counted, by a part of the path (from 0), with a word before it."""
    rates = f"groupByNode(perSecond({paths}), {node}, 'sum')"
    return f"aliasSub({rates}, '^', '{word} ')" if word else rates


def _overview() -> Board:
    flow = [f"alias(sumSeries(perSecond({counter(event)})), '{event}')" for event in EVENTS]
    return Board(
        uid="nightowl-graphite-celery-overview",
        title="NightOwl: Celery overview (Graphite)",
        says="What a Celery cluster does now, where its tasks stay, and what fails.",
        source="graphite",
        variables=(PREFIX, CLUSTER, QUEUE, NAME, WINDOW),
        rows=(
            Row("Now", tuple(_now())),
            Row("Where tasks stay", tuple(_stage(stage) for stage in STAGES)),
            Row(
                "Flow",
                (
                    _lines("Tasks a second", "What happened to tasks, by kind of event.", flow, "ops"),
                    _lines("Failures by task", "A second.", [rate(counter("failed"), 3)], "ops"),
                    _lines("Failures by exception", "A second.", [rate(counter("failed"), 5)], "ops"),
                    _lines("Mean runtime", "Of tasks that succeeded.", [_mean("task_runtime", "runtime")], "s"),
                    _lines("Mean wait", "Before the start.", [_mean("task_queue_wait_time", "wait")], "s"),
                    _lines("Queues", "Messages that wait.", [gauge("queue_length")]),
                ),
            ),
        ),
    )


def _now() -> Iterable[Panel]:
    shown = {
        "worker_up.*.*": ("Workers up", "Workers that are heard.", ()),
        "worker_tasks_active.*.*": ("Running", "Tasks that run now.", ()),
        "queue_length.$queue": ("Waiting", "Messages in all queues.", ((100, ORANGE), (1000, RED))),
    }
    for metric, (title, says, steps) in shown.items():
        panel = _lines(title, says, [f"alias(sumSeries({OF_CLUSTER}_{metric}), '{title}')"], steps=steps)
        yield replace(panel, kind="stat", height=4)


def _stage(stage: Stage) -> Panel:
    entered, first, *rest = (
        f"movingSum(nonNegativeDerivative(sumSeries({counter(event)})), '$window')"
        for event in (stage.entered, *stage.left)
    )
    # where nothing is there to subtract from, diffSeries would take the next one for it
    entered = f"fallbackSeries({entered}, scale({first}, 0))"
    difference = f"alias(diffSeries({', '.join([entered, first, *rest])}), 'difference')"
    return replace(_lines(stage.title, stage.says, [difference], steps=STEPS), width=6)


def _tasks() -> Board:
    panels = [
        _lines(f"{event.capitalize()} a second", f"Tasks {event}, by name.", [rate(counter(event), 3)], "ops")
        for event in EVENTS
    ]
    return Board(
        uid="nightowl-graphite-celery-tasks",
        title="NightOwl: Celery tasks (Graphite)",
        says="Each task by its name: how often, how long, how often in vain.",
        source="graphite",
        variables=(PREFIX, CLUSTER, QUEUE, NAME),
        rows=(
            Row("By event", tuple(panels)),
            Row(
                "Time",
                (
                    _lines("Mean runtime", "Of successes, by name.", [_mean_by_name("task_runtime")], "s"),
                    _lines("Mean wait", "Before the start, by name.", [_mean_by_name("task_queue_wait_time")], "s"),
                ),
            ),
        ),
    )


def _mean(histogram: str, word: str) -> str:
    sums, counts = (f"sumSeries(perSecond({OF_CLUSTER}_{histogram}_{part}.$name.$queue))" for part in ("sum", "count"))
    return f"alias(divideSeries({sums}, {counts}), '{word}')"


def _mean_by_name(histogram: str) -> str:
    sums, counts = (rate(f"{OF_CLUSTER}_{histogram}_{part}.$name.$queue", 3) for part in ("sum", "count"))
    return rf"aliasSub(divideSeriesLists({sums}, {counts}), '^.*\((.+),.*', '\1')"


def _queues() -> Board:
    shown = {
        "queue_length": ("Length", "Messages that wait.", "short"),
        "queue_unacked": ("With workers", "Messages that workers hold unacknowledged.", "short"),
        "queue_scheduled": ("For later", "Of these, the ones that are not due yet.", "short"),
        "queue_oldest_age_seconds": ("Oldest", "Age of the oldest message that waits.", "s"),
        "active_worker_count": ("Workers", "Workers that consume the queue.", "short"),
        "active_process_count": ("Processes", "Processes or threads of these.", "short"),
    }
    gauges = [_lines(title, says, [gauge(metric)], unit) for metric, (title, says, unit) in shown.items()]
    flow = [rate(counter(event, "*"), 4, event) for event in ("sent", "started")]
    return Board(
        uid="nightowl-graphite-celery-queues",
        title="NightOwl: Celery queues (Graphite)",
        says="What waits in each queue, how old it is, and who takes it.",
        source="graphite",
        variables=(PREFIX, CLUSTER, QUEUE),
        rows=(Row("Queues", (*gauges, _lines("In and out", "Tasks sent and started a second.", flow, "ops"))),),
    )


def _workers() -> Board:
    shown = {
        "worker_up": ("Up", "1: it is heard.", "short"),
        "worker_tasks_active": ("Running", "Tasks that run on each worker.", "short"),
        "worker_processes": ("Processes", "Processes or threads of the pool.", "short"),
        "worker_prefetch_count": ("Prefetch", "Messages that the worker takes ahead.", "short"),
        "worker_memory_bytes": ("Memory", "The most that its main process has taken.", "bytes"),
        "worker_clock_skew_seconds": ("Clock", "Seconds by which it is fast.", "s"),
    }
    gauges = [
        _lines(title, says, [f"aliasByNode({OF_CLUSTER}_{metric}.*.*, 4)"], unit)
        for metric, (title, says, unit) in shown.items()
    ]
    broker = {
        "broker_memory_bytes": ("Broker's memory", "Memory that the broker takes.", "bytes"),
        "broker_clients": ("Clients", "Connections to the broker.", "short"),
        "broker_alarms": ("Alarms", "Alarms that the broker has raised.", "short"),
    }
    brokers = [
        _lines(title, says, [f"aliasByNode({OF_CLUSTER}_{metric}, 1)"], unit)
        for metric, (title, says, unit) in broker.items()
    ]
    return Board(
        uid="nightowl-graphite-celery-workers",
        title="NightOwl: Celery workers (Graphite)",
        says="Each worker: presence, load, memory, clock; and the broker.",
        source="graphite",
        variables=(PREFIX, CLUSTER),
        rows=(Row("Workers", tuple(gauges)), Row("Broker", tuple(brokers))),
    )


def _checks() -> Board:
    up, durations = "$prefix.check_up.$check.$location", "$prefix.check_duration_seconds.$check.$location"
    state = replace(
        _lines("State", "Up or down, by check and location.", [f"aliasByNode({up}, 2, 3)"]),
        kind="state-timeline",
        words={"0": ("down", RED), "1": ("up", GREEN)},
        width=24,
    )
    return Board(
        uid="nightowl-graphite-checks",
        title="NightOwl: checks by location (Graphite)",
        says="What every location saw in the last round of each check.",
        source="graphite",
        variables=(PREFIX, CHECK, LOCATION),
        rows=(
            Row(
                "Checks",
                (
                    state,
                    _lines("Up", "The share that is up, by location.", [f"groupByNode({up}, 3, 'avg')"], "percentunit"),
                    _lines("Phases", "Where the time goes, the mean.", [f"groupByNode({durations}.*, 4, 'avg')"], "s"),
                    _lines(
                        "Slowest",
                        "The ten that take longest, all phases together.",
                        [f"highestCurrent(groupByNodes({durations}.*, 'sum', 2, 3), 10)"],
                        "s",
                    ),
                ),
            ),
        ),
    )


def _itself() -> Board:
    levels = {
        "lateness_seconds.*": ("Lateness", "From a round's due moment to the first attempt, by quantile.", "s"),
        "outbox_oldest_seconds": ("Outbox", "Age of the oldest notice that waits.", "s"),
        "evaluation_seconds": ("Evaluation", "Seconds that the last evaluation of all rules took.", "s"),
        "queue_length.*": ("Queues", "Messages that wait in NightOwl's own queues.", "short"),
    }
    counts = {
        "rounds_total.*": ("Rounds", "Rounds closed a second, by verdict."),
        "results_refused_total.*": ("Refused", "Outcomes not taken in, by reason."),
        "rounds_missed_total": ("Rounds missed", "Rounds that nobody led in time."),
        "outcomes_late_total": ("Late", "Outcomes after their round was closed."),
        "jobs_resent_total": ("Sent again", "Checks given to another actor."),
    }
    gauges = [
        _lines(title, says, [f"aliasByNode($prefix.nightowl_{metric}, {2 if '*' in metric else 1})"], unit)
        for metric, (title, says, unit) in levels.items()
    ]
    rates = [
        _lines(title, says, [rate(f"$prefix.nightowl_{metric}", 2 if "*" in metric else 1)], "ops")
        for metric, (title, says) in counts.items()
    ]
    return Board(
        uid="nightowl-graphite-itself",
        title="NightOwl: itself (Graphite)",
        says="Whether NightOwl keeps up. Of its single processes /metrics tells more.",
        source="graphite",
        variables=(PREFIX,),
        rows=(Row("Director and notifier", (*gauges, *rates)),),
    )


def _lines(title: str, says: str, asked: Iterable[str], unit: str = "short", *, steps: Steps = ()) -> Panel:
    targets = tuple(Target(query={"target": text}) for text in asked)
    return Panel(title=title, says=says, targets=targets, unit=unit, steps=steps)
