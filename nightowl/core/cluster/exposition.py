"""A cluster's metrics in Prometheus' text format 0.0.4, under the names and labels that celery-exporter gave them.

So dashboards and alerts made for it work unchanged. What is added: ``cluster`` where several are on one page,
``worker`` (the node name) beside ``hostname`` (what is behind its @), as two workers of one host are two; and of queues
what the length alone does not tell. Hosts of clients have series of what they sent, and no others.

A failure with an exception that a task never had makes a new series, and ``increase()`` never sees the first value of
one. So a series of failures that is new since the last scrape is shown at 0 once before it is shown as it is. What a
scrape has shown is remembered by the renderer: keep one for each page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from nightowl.core.cluster.figures import KINDS, Cell, Figures, Sent
from nightowl.core.cluster.gauges import HELP, of_broker, of_queue, of_worker
from nightowl.core.cluster.histogram import Histogram
from nightowl.core.cluster.state import ClusterState

LATELY = 300.0
"""Seconds since the last scrape up to which a new series is shown at 0 first: somebody scrapes regularly."""

GENERIC = "generic"
"""The hostname of all clients where their own are not wanted, as with celery-exporter."""

_COUNTERS = {
    "received": "Sent when the worker receives a task.",
    "started": "Sent just before the worker executes the task.",
    "succeeded": "Sent if the task executed successfully.",
    "retried": "Sent if the task failed, but will be retried in the future.",
    "revoked": "Sent if the task has been revoked, or expired, or was terminated.",
    "rejected": "The task was rejected by the worker.",
}
_FAILED = "Sent if the execution of the task failed."
_HISTOGRAMS = {
    "task_runtime": "Seconds that tasks which succeeded ran.",
    "task_queue_wait_time": "Seconds from being sent, or due, to being started.",
}
_OWN = {
    "nightowl_task_events_total": "Task events taken in, by type.",
    "nightowl_events_refused_total": "Messages of the event stream that were no events, by reason.",
    "nightowl_events_lost_total": "Events that are known to be lost.",
    "nightowl_event_gaps_total": "Times in which events were, or may have been, lost.",
    "nightowl_labels_overflow_total": "Counts booked under the name other, as there were too many labels.",
    "nightowl_open_tasks": "Tasks that have not ended, or ended a moment ago.",
}

Families = dict[str, list[str]]
"""Lines of each family of metrics."""


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """How metrics are named: ``prefix`` stands before each of Celery's, ``labels`` on each.

    ``generic_hostnames``: clients are not told apart.
    """

    prefix: str = "celery_"
    labels: tuple[tuple[str, str], ...] = ()
    generic_hostnames: bool = False


class _Shown(msgspec.Struct):
    """The failures that the last scrape of a cluster has shown, and when that was."""

    at: float
    failures: set[tuple[str, str, str, str]]


class Exposition:
    """Renders one page; it remembers which failures were shown there, and the text of labels."""

    def __init__(self, style: Style | None = None) -> None:
        self._style = style or Style()
        self._shown: dict[str, _Shown] = {}
        self._texts: dict[tuple[str, str, str, str], str] = {}

    def render(self, clusters: Iterable[tuple[Figures, ClusterState]], *, labelled: bool = True) -> str:
        """Return the page. ``labelled``: each cluster's name stands in a label ``cluster``."""
        prefix = self._style.prefix
        heads = _heads(prefix)
        families: Families = {name: [] for name in heads}
        known: dict[tuple[str, str, str, str], str] = {}
        for figures, state in clusters:
            static = dict(self._style.labels) | ({"cluster": state.name} if labelled else {})
            fixed = "".join(f'{name}="{escaped(text)}",' for name, text in static.items())
            before = self._shown.get(state.name)
            shown = self._shown[state.name] = _Shown(state.at, set())
            if before is None or state.at - before.at > LATELY:
                before = None
            for key, cell in list(figures.cells.items()):
                whole = (state.name, *key)
                labels = known[whole] = self._texts.get(whole) or _labels(cell, fixed)
                self._cell(families, cell, labels, figures)
                self._failures(families, cell, labels, before, shown)
            self._sent(families, list(figures.sent.values()), fixed)
            _gauges(families, prefix, state, fixed)
            _own(families, figures, state, fixed)
        self._texts = known
        return "".join(heads[name] + "".join(lines) for name, lines in families.items() if lines)

    def _cell(self, families: Families, cell: Cell, labels: str, figures: Figures) -> None:
        prefix = self._style.prefix
        for kind, count in zip(KINDS, cell.counts, strict=True):
            families[f"{prefix}task_{kind}_total"].append(f"{prefix}task_{kind}_total{{{labels}}} {count}\n")
            families[f"{prefix}task_{kind}_created"].append(f"{prefix}task_{kind}_created{{{labels}}} {cell.created}\n")
        for name, histogram, bounds in (
            (f"{prefix}task_runtime", cell.runtime, figures.runtime_buckets),
            (f"{prefix}task_queue_wait_time", cell.wait, figures.wait_buckets),
        ):
            if histogram.tallies:
                families[name] += histogram_lines(name, labels, histogram, bounds)
                families[f"{name}_created"].append(f"{name}_created{{{labels}}} {cell.created}\n")

    def _failures(self, families: Families, cell: Cell, labels: str, before: _Shown | None, shown: _Shown) -> None:
        total, created = f"{self._style.prefix}task_failed_total", f"{self._style.prefix}task_failed_created"
        # Ratios of failures need a figure of tasks that never failed, too.
        families[total].append(f'{total}{{{labels},exception=""}} 0\n')
        families[created].append(f'{created}{{{labels},exception=""}} {cell.created}\n')
        for exception, failed in list(cell.failed.items()):
            key = (cell.name, cell.worker, cell.queue, exception)
            shown.failures.add(key)
            count = failed.count if before is None or key in before.failures else 0
            whole = f'{labels},exception="{escaped(exception)}"'
            families[total].append(f"{total}{{{whole}}} {count}\n")
            families[created].append(f"{created}{{{whole}}} {failed.created}\n")

    def _sent(self, families: Families, sent: Iterable[Sent], fixed: str) -> None:
        total, created = f"{self._style.prefix}task_sent_total", f"{self._style.prefix}task_sent_created"
        sums: dict[str, tuple[int, float]] = {}
        for each in (each for each in sent if each.host):
            host = GENERIC if self._style.generic_hostnames else each.host
            labels = f'{fixed}name="{escaped(each.name)}",hostname="{escaped(host)}",queue_name="{escaped(each.queue)}"'
            count, since = sums.get(labels, (0, each.created))
            sums[labels] = (count + each.count, min(since, each.created))
        for labels, (count, since) in sums.items():
            families[total].append(f"{total}{{{labels}}} {count}\n")
            families[created].append(f"{created}{{{labels}}} {since}\n")


def escaped(text: str) -> str:
    """Return a label's value as the format has it."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def host_of(worker: str) -> str:
    """Return what is behind the @ of a node name."""
    return worker.rpartition("@")[2]


def head(name: str, kind: str, said: str) -> str:
    """Return what stands before a family."""
    return f"# HELP {name} {said}\n# TYPE {name} {kind}\n"


def histogram_lines(name: str, labels: str, histogram: Histogram, bounds: tuple[float, ...]) -> Iterator[str]:
    """Yield the lines of a histogram, its buckets cumulated."""
    counts = histogram.counts(bounds)
    for bound, count in zip(bounds, counts, strict=False):
        yield f'{name}_bucket{{{labels},le="{bound}"}} {count}\n'
    yield f'{name}_bucket{{{labels},le="+Inf"}} {counts[-1]}\n{name}_count{{{labels}}} {counts[-1]}\n'
    yield f"{name}_sum{{{labels}}} {histogram.sum}\n"


def _labels(cell: Cell, fixed: str) -> str:
    worker = escaped(cell.worker)
    return (
        f'{fixed}name="{escaped(cell.name)}",hostname="{host_of(worker)}",worker="{worker}",'
        f'queue_name="{escaped(cell.queue)}"'
    )


def _gauges(families: Families, prefix: str, state: ClusterState, fixed: str) -> None:
    parts: list[tuple[str, Iterable[tuple[str, float | None]]]] = [(fixed.rstrip(","), of_broker(state.broker))]
    for worker in state.workers:
        name = escaped(worker.name)
        parts.append((f'{fixed}hostname="{host_of(name)}",worker="{name}"', of_worker(worker)))
    parts += [(f'{fixed}queue_name="{escaped(queue.name)}"', of_queue(queue)) for queue in state.queues]
    for labels, measured in parts:
        for family, value in measured:
            if value is not None:
                _add(families, prefix + family, labels, value)


def _own(families: Families, figures: Figures, state: ClusterState, fixed: str) -> None:
    # NightOwl's own counters say of which cluster they are even where Celery's families do not.
    mine = fixed if 'cluster="' in fixed else f'{fixed}cluster="{escaped(state.name)}",'
    for kind, count in list(figures.events.items()):
        _add(families, "nightowl_task_events_total", f'{mine}type="{escaped(kind)}"', count)
    for reason, count in list(figures.refused.items()):
        _add(families, "nightowl_events_refused_total", f'{mine}reason="{escaped(reason)}"', count)
    labels = mine.rstrip(",")
    _add(families, "nightowl_events_lost_total", labels, figures.lost)
    _add(families, "nightowl_event_gaps_total", labels, figures.gaps)
    _add(families, "nightowl_labels_overflow_total", labels, figures.overflow)
    _add(families, "nightowl_open_tasks", labels, state.open_tasks)


def _add(families: Families, name: str, labels: str, value: float) -> None:
    families[name].append(f"{name}{{{labels}}} {value}\n")


def _heads(prefix: str) -> Mapping[str, str]:
    heads = {}
    for kind, said in {"sent": "Sent when a task message is published.", **_COUNTERS, "failed": _FAILED}.items():
        heads[f"{prefix}task_{kind}_total"] = head(f"{prefix}task_{kind}_total", "counter", said)
        heads[f"{prefix}task_{kind}_created"] = head(f"{prefix}task_{kind}_created", "gauge", said)
    for name, said in _HISTOGRAMS.items():
        heads[prefix + name] = head(prefix + name, "histogram", said)
        heads[f"{prefix}{name}_created"] = head(f"{prefix}{name}_created", "gauge", said)
    for name, said in HELP.items():
        heads[prefix + name] = head(prefix + name, "gauge", said)
    for name, said in _OWN.items():
        heads[name] = head(name, "counter" if name.endswith("_total") else "gauge", said)
    return heads
