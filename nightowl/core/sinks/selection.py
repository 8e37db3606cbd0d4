"""Which samples a sink gets, and under which labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import translate
from typing import Literal

from nightowl.core.series import Labels
from nightowl.core.values import Sample

_RENAMED = re.compile(r"\{([A-Za-z_]\w*)\}", re.ASCII)

_HISTOGRAMS = ("celery_task_runtime", "celery_task_queue_wait_time")
_COUNTED = frozenset(f"{name}_{part}" for name in _HISTOGRAMS for part in ("count", "sum"))


def is_counter(metric: str) -> bool:
    """Whether values of a metric only rise, and begin at 0: counters, and the parts of histograms."""
    return metric.endswith(("_total", "_bucket")) or metric in _COUNTED


class Selection:
    """Chooses metrics by name; shell patterns, of which one has to fit."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._fits = re.compile("|".join(translate(pattern) for pattern in patterns)).match
        self._known: dict[str, bool] = {}

    def __call__(self, samples: Iterable[Sample]) -> list[Sample]:
        """Return those that are chosen."""
        return [sample for sample in samples if self._chosen(sample.metric)]

    def _chosen(self, metric: str) -> bool:
        found = self._known.get(metric)
        if found is None:
            found = self._known[metric] = self._fits(metric) is not None
        return found


def relabelled(samples: Iterable[Sample], labels: Mapping[str, str | Literal[False]]) -> list[Sample]:
    """Return samples with labels added, renamed (``{other}``) or dropped (False).

    Series that are one after that are put together: counters are summed, of gauges the highest counts.
    """
    if not labels:
        return list(samples)
    known: dict[Labels, Labels] = {}
    found: dict[tuple[str, Labels], Sample] = {}
    for sample in samples:
        changed = known.get(sample.labels)
        if changed is None:
            changed = known[sample.labels] = _changed(sample.labels, labels)
        _put(found, Sample(sample.metric, changed, sample.time, sample.value))
    return list(found.values())


def changed(labels: Mapping[str, str | Literal[False]]) -> list[str]:
    """Return the labels of samples that ``labels`` rename or drop."""
    renamed = ((name, _RENAMED.fullmatch(text) if text else None) for name, text in labels.items())
    return [other[1] if other else name for name, other in renamed if other or labels[name] is False]


def keeping(samples: Iterable[Sample], names: Iterable[str]) -> list[Sample]:
    """Return samples with these labels alone; what is one after that is put together as by ``relabelled``."""
    kept = frozenset(names)
    found: dict[tuple[str, Labels], Sample] = {}
    for sample in samples:
        labels = tuple(pair for pair in sample.labels if pair[0] in kept)
        _put(found, Sample(sample.metric, labels, sample.time, sample.value))
    return list(found.values())


def _put(found: dict[tuple[str, Labels], Sample], sample: Sample) -> None:
    key = (sample.metric, sample.labels)
    before = found.get(key)
    if before is not None:
        together = sum if is_counter(sample.metric) else max
        value = together((before.value, sample.value))
        sample = Sample(sample.metric, sample.labels, max(before.time, sample.time), value)
    found[key] = sample


def _changed(before: Labels, labels: Mapping[str, str | Literal[False]]) -> Labels:
    own = dict(before)
    found = dict(before)
    for name, text in labels.items():
        other = _RENAMED.fullmatch(text) if text else None
        if other is not None:
            found.pop(other[1], None)
        if text is False or (other is not None and other[1] not in own):
            found.pop(name, None)
    for name, text in labels.items():
        other = _RENAMED.fullmatch(text) if text else None
        if other is not None and other[1] in own:
            found[name] = own[other[1]]
        elif text and other is None:
            found[name] = text
    return tuple(sorted(found.items()))
