"""Celery over CloudWatch, by what the ``cloudwatch`` sink puts there: few metrics, as each costs money.

The namespace is ``NightOwl``, the dimensions are ``cluster`` and ``queue_name``. Of counters there is by how much they
rose, so that ``Sum`` counts. ``QueueStatus`` (1: a queue's threshold is reached) is what alarms and scaling look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from deploy.grafana.boards import RED, Board, Panel, Row, Steps, Target, Variable
from deploy.grafana.stages import EVENTS, STAGES, STEPS, Stage

NAMESPACE = "NightOwl"
DIMENSIONS = {"cluster": "$cluster", "queue_name": "$queue"}
WINDOW = 900
"""Seconds of a stage's difference: CloudWatch gives one value for each."""

REGION = Variable(name="region", label="Region", query="regions()", several=False)
CLUSTER = Variable(
    name="cluster",
    label="Cluster",
    query=f"dimension_values($region, {NAMESPACE}, celery_queue_length, cluster)",
    several=False,
)
QUEUE = Variable(
    name="queue",
    label="Queue",
    query=f'dimension_values($region, {NAMESPACE}, celery_queue_length, queue_name, {{"cluster": "$cluster"}})',
)


def boards() -> list[Board]:
    """The one there is."""
    return [
        Board(
            uid="nightowl-cloudwatch-celery",
            title="NightOwl: Celery (CloudWatch)",
            says="Queues with their status, and where tasks stay.",
            source="cloudwatch",
            variables=(REGION, CLUSTER, QUEUE),
            rows=(
                Row("Queues", _queues()),
                Row("Where tasks stay", tuple(_stage(stage) for stage in STAGES)),
                Row("Flow", (_flow(),)),
            ),
        )
    ]


def _queues() -> tuple[Panel, ...]:
    return (
        _lines(
            "Status",
            "1: its threshold is reached, 0: it is not.",
            [metric("QueueStatus", "Maximum")],
            steps=((1, RED),),
        ),
        _lines(
            "Length",
            "Messages that wait.",
            [metric("celery_queue_length", "Maximum")],
            steps=((100, "orange"), (1000, RED)),
        ),
        _lines("Oldest", "Age of the oldest message.", [metric("celery_queue_oldest_age_seconds", "Maximum")], "s"),
        _lines("With workers", "Messages unacknowledged.", [metric("celery_queue_unacked", "Maximum")]),
        _lines("Consumers", "Consumers, where the broker tells.", [metric("celery_active_consumer_count", "Minimum")]),
    )


def _stage(stage: Stage) -> Panel:
    counted = " - ".join(total(event, WINDOW) for event in (stage.entered, *stage.left))
    return replace(_lines(stage.title, stage.says, [expression(counted, "difference")], steps=STEPS), width=6)


def _flow() -> Panel:
    asked = [expression(f"{total(event, 60)} / 60", event) for event in EVENTS]
    return replace(_lines("Tasks a second", "What happened to tasks.", asked, "ops"), width=24)


def metric(name: str, statistic: str) -> Mapping[str, Any]:
    """A query for one metric of each queue."""
    return {
        "queryMode": "Metrics",
        "metricQueryType": 0,
        "metricEditorMode": 0,
        "region": "$region",
        "namespace": NAMESPACE,
        "metricName": name,
        "dimensions": DIMENSIONS,
        "matchExact": True,
        "statistic": statistic,
        "period": "60",
        "label": "${PROP('Dim.queue_name')}",
    }


def expression(text: str, label: str) -> Mapping[str, Any]:
    """A query of metric math."""
    code = {"queryMode": "Metrics", "metricQueryType": 0, "metricEditorMode": 1, "region": "$region"}
    return code | {"expression": text, "label": label}


def total(event: str, seconds: int) -> str:
    """How many of an event there were in all queues of a cluster, a value for so many seconds."""
    sought = f'{{{NAMESPACE},cluster,queue_name}} MetricName="celery_task_{event}_total" cluster="$cluster"'
    return f"SUM(FILL(SEARCH('{sought}', 'Sum', {seconds}), 0))"


def _lines(title: str, says: str, asked: list[Mapping[str, Any]], unit: str = "short", *, steps: Steps = ()) -> Panel:
    targets = tuple(Target(query=query) for query in asked)
    return Panel(title=title, says=says, targets=targets, unit=unit, steps=steps)
