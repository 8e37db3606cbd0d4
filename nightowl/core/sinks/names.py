"""The metrics and labels that NightOwl can have, by which a pattern or a template that fits none is found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Literal

from nightowl.core import exposition
from nightowl.core.cluster import gauges
from nightowl.core.cluster.figures import KINDS
from nightowl.core.sinks.paths import ORDER, places
from nightowl.core.sinks.selection import changed

_HISTOGRAMS = ("celery_task_runtime", "celery_task_queue_wait_time")

METRICS = frozenset(
    {
        *exposition.HELP,
        *(f"celery_{name}" for name in gauges.HELP),
        *(f"celery_task_{kind}_total" for kind in (*KINDS, "failed", "sent")),
        *(f"{name}_{part}" for name in _HISTOGRAMS for part in ("bucket", "count", "sum")),
        "nightowl_event_gaps_total",
        "nightowl_events_lost_total",
        "nightowl_events_refused_total",
        "nightowl_labels_overflow_total",
        "nightowl_open_tasks",
        "nightowl_task_events_total",
    }
)
"""Every metric that a snapshot can have."""

LABELS = frozenset({*ORDER, "cluster", "le", "quantile", "result", "role"})
"""Every label that a sample of a snapshot can have."""

_FILLED = frozenset({"prefix", "metric", "labels"})


def strangers(patterns: Iterable[str]) -> list[str]:
    """Return the shell patterns that fit no metric."""
    return [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in METRICS)]


def places_named(template: str) -> list[str]:
    """Return the labels that a template of paths names one by one."""
    return [name for name in places(template) if name not in _FILLED]


def labels_left(labels: Mapping[str, str | Literal[False]]) -> frozenset[str]:
    """Return every label that a sample can have when ``labels`` were changed as by ``selection.relabelled``."""
    given = (name for name, text in labels.items() if text is not False)
    return (LABELS - frozenset(changed(labels))) | frozenset(given)
