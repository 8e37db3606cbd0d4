"""Celery's workers over Prometheus, and its broker."""

from __future__ import annotations

from msgspec.structs import replace

from deploy.grafana.boards import GREEN, ORANGE, RED, Board, Panel, Row
from deploy.grafana.prometheus import CLUSTER, IN_CLUSTER, JOB, ask, lines, rate

UP = {"0": ("down", RED), "1": ("up", GREEN)}


def boards() -> list[Board]:
    """The one there is."""
    return [
        Board(
            uid="nightowl-celery-workers",
            title="NightOwl: Celery workers",
            says="Each worker: presence, load, memory, clock; and the broker.",
            source="prometheus",
            variables=(JOB, CLUSTER),
            rows=(
                Row("Presence", (_presence(),)),
                Row("Load", (*_load(), *_pool())),
                Row("Broker", _broker()),
            ),
        )
    ]


def _presence() -> Panel:
    return Panel(
        title="Workers",
        says="Which worker was heard when.",
        targets=(ask(_each("worker_up", "cluster, worker"), "{{worker}}"),),
        kind="state-timeline",
        words=UP,
        width=24,
        height=6,
    )


def _load() -> tuple[Panel, ...]:
    busy, processes = (
        f"sum by (worker) (celery_worker_{each}{{{IN_CLUSTER}}})" for each in ("tasks_active", "processes")
    )
    failed, succeeded = (rate(f"celery_task_{each}_total", IN_CLUSTER, "worker") for each in ("failed", "succeeded"))
    return (
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
    )


def _pool() -> tuple[Panel, ...]:
    def gauge(title: str, says: str, metric: str, unit: str = "short") -> Panel:
        return lines(title, says, {"{{worker}}": _each(f"worker_{metric}", "cluster, worker")}, unit)

    return (
        gauge("Processes", "Processes or threads of the pool.", "processes"),
        gauge("Prefetch", "Messages that the worker takes ahead.", "prefetch_count"),
        gauge("Memory", "The most that its main process has taken.", "memory_bytes", "bytes"),
        gauge("Clock", "Seconds by which it is fast.", "clock_skew_seconds", "s"),
    )


def _broker() -> tuple[Panel, ...]:
    def gauge(title: str, says: str, metric: str, unit: str = "short") -> Panel:
        return replace(lines(title, says, {"{{cluster}}": _each(f"broker_{metric}", "cluster")}, unit), width=6)

    held = "Events that Redis holds for subscribers that have not read them."
    return (
        gauge("Broker's memory", "Memory that the broker takes.", "memory_bytes", "bytes"),
        gauge("Clients", "Connections to the broker.", "clients"),
        gauge("Events held", held, "pubsub_buffer_bytes", "bytes"),
        gauge("Alarms", "Alarms that the broker has raised.", "alarms"),
    )


def _each(metric: str, by: str) -> str:
    return f"max by ({by}) (celery_{metric}{{{IN_CLUSTER}}})"
