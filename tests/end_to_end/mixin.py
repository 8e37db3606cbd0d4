"""The celery-mixin (danihodovic/celery-exporter, 2026-08): its alert rules, and every distinct query of its dashboards.

Of Grafana's variables, ``$job`` is the job's name, ``$queue_name`` and ``$task`` are all, and ``$cluster`` and
``$namespace`` are empty, as celery-exporter has neither.
"""

from __future__ import annotations

from collections.abc import Iterator

JOB = "nightowl-celery"
OLDER_JOB = "celery"
EVENTS = ("succeeded", "failed", "sent", "received", "retried", "revoked", "rejected")
QUANTILES = ("0.50", "0.95", "0.99")

RULES = """
groups:
- name: celery
  rules:
  - alert: CeleryTaskHighFailRate
    expr: >
      sum(increase(celery_task_failed_total{job=~".*celery.*",queue_name!~"None",name!~"None"}[10m]))
        by (job, namespace, queue_name, name)
      / (sum(increase(celery_task_failed_total{job=~".*celery.*",queue_name!~"None",name!~"None"}[10m]))
        by (job, namespace, queue_name, name)
      + sum(increase(celery_task_succeeded_total{job=~".*celery.*",queue_name!~"None",name!~"None"}[10m]))
        by (job, namespace, queue_name, name)) * 100 > 5
    for: 1m
  - alert: CeleryHighQueueLength
    expr: sum(celery_queue_length{job=~".*celery.*",queue_name!~"None"}) by (job, namespace, queue_name) > 100
    for: 20m
  - alert: CeleryWorkerDown
    expr: celery_worker_up{job=~".*celery.*"} == 0
    for: 15m
"""

_SELECTED = f'cluster="", namespace="", job=~"{JOB}"'
_QUEUES = f'{_SELECTED}, queue_name!~"None"'
_QUEUE = f'{_SELECTED}, queue_name=~".*", queue_name!~"None"'
_TASK = f'{_QUEUE}, name=~".+", name!~"None"'
_OLDER = 'job=~"celery|celery-exporter"'
_RATE = "15s"
"""Grafana's ``$__rate_interval`` for a scrape each second, at least."""
_RANGE = "1h"


def queries() -> list[str]:
    """All of them, each once."""
    return list(dict.fromkeys([*_by_task(), *_overview(), *_older()]))


def _by_task() -> Iterator[str]:
    yield f"topk(10, sum(rate(celery_task_received_total{{{_QUEUE}}}[6h])) by (queue_name))"
    yield f"topk(10, sum(rate(celery_task_received_total{{{_QUEUE}}}[6h])) by (name))"
    yield from (f"sum(increase(celery_task_{event}_total{{{_QUEUE}}}[6h]))" for event in EVENTS)
    for window in ("1w", _RATE):
        yield from (f"sum(round(increase(celery_task_{each}_total{{{_TASK}}}[{window}]))) by (name)" for each in EVENTS)
    yield f"{_ratio('increase', _TASK, '1w', 'by (name)')} > -1"
    yield _ratio("rate", _TASK, _RATE, "by (name)")
    yield f"round(sum(increase(celery_task_failed_total{{{_TASK}}}[1w])) by (name, exception))"
    yield f"sum(round(increase(celery_task_failed_total{{{_TASK}}}[{_RATE}]))) by (name, exception)"
    yield from (_quantile(each, _TASK, "name, job, le") for each in QUANTILES)


def _overview() -> Iterator[str]:
    yield f"count(celery_worker_up{{{_QUEUES}}} == 1)"
    yield f"sum(celery_worker_tasks_active{{{_QUEUES}}})"
    yield f"count(group by (queue_name) (celery_queue_length{{{_QUEUES}}}))"
    yield f"sum(round(increase(celery_task_received_total{{{_QUEUES}}}[1w])))"
    yield _ratio("increase", _QUEUES, "1w")
    yield f"{_mean(_QUEUES, '1w')} > 0"
    yield f"topk(10, sum(celery_queue_length{{{_QUEUES}}}) by (queue_name))"
    yield f"topk(10, sum(rate(celery_task_received_total{{{_QUEUES}}}[6h])) by (name))"
    yield from (f"sum(increase(celery_task_{event}_total{{{_QUEUES}}}[6h]))" for event in EVENTS)
    yield f"sum(celery_queue_length{{{_QUEUE}}}) by (job, queue_name)"
    yield from (f"sum(round(increase(celery_task_{event}_total{{{_QUEUE}}}[{_RANGE}]))) by (job)" for event in EVENTS)
    yield _ratio("increase", _QUEUE, _RANGE, "by (job)")
    yield from (f"sum(round(increase(celery_task_{event}_total{{{_QUEUE}}}[{_RATE}])))" for event in EVENTS)
    yield from (_quantile(each, _QUEUE, "job, le") for each in QUANTILES)
    yield f"round(sum(increase(celery_task_failed_total{{{_QUEUE}}}[1w])) by (job, name))"
    yield f"round(sum(increase(celery_task_failed_total{{{_QUEUE}}}[1w])) by (job, exception))"
    yield f"{_mean(_QUEUE, '1w', 'by (name)')} > 0"


def _older() -> Iterator[str]:
    yield f"count(celery_worker_up{{{_OLDER}}} == 1)"
    yield f"sum(celery_worker_tasks_active{{{_OLDER}}})"
    yield f"sum(round(increase(celery_task_received_total{{{_OLDER}}}[1d])))"
    yield _ratio("increase", _OLDER, "1d")
    yield _mean(_OLDER, "1d")
    yield f"topk(5, sum(round(increase(celery_task_failed_total{{{_OLDER}}}[{_RANGE}]))) by (name))"
    yield f"topk(5, sum(round(increase(celery_task_failed_total{{{_OLDER}}}[{_RANGE}]))) by (exception))"
    yield f"topk(5, {_mean(_OLDER, _RANGE, 'by (name)')})"
    for event in EVENTS:
        if event != "sent":
            yield f"sum(round(increase(celery_task_{event}_total{{{_OLDER}}}[10m]))) by (name)"
    yield _mean(_OLDER, "10m", "by (name)")


def _ratio(function: str, selected: str, window: str, by: str = "") -> str:
    succeeded, failed = (
        f"sum({function}(celery_task_{event}_total{{{selected}}}[{window}])) {by}" for event in ("succeeded", "failed")
    )
    return f"{succeeded} / ({succeeded} + {failed})"


def _mean(selected: str, window: str, by: str = "") -> str:
    total, count = (f"sum(rate(celery_task_runtime_{part}{{{selected}}}[{window}])) {by}" for part in ("sum", "count"))
    return f"{total} / {count}"


def _quantile(quantile: str, selected: str, by: str) -> str:
    return f"histogram_quantile({quantile}, sum(irate(celery_task_runtime_bucket{{{selected}}}[{_RATE}])) by ({by}))"
