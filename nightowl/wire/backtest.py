"""What rules are tried on: files of samples, and the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from nightowl.adapters.sample_files import Progress, read_samples
from nightowl.core.points import Points, points
from nightowl.core.rule import Rule
from nightowl.core.sample_rows import moment
from nightowl.core.series import Series
from nightowl.ports import Store

__all__ = ["Progress", "moment", "read_samples", "stored_samples"]


def stored_samples(store: Store, rules: Iterable[Rule], start: float, end: float) -> dict[Series, Points]:
    """Return the store's samples in ``(start, end]`` of all metrics that the rules look at."""
    metrics = {metric for rule in rules for metric in (rule.metric, rule.difference) if metric}
    found: defaultdict[Series, list[tuple[float, float]]] = defaultdict(list)
    with store.read() as unit:
        for metric in sorted(metrics):
            for sample in unit.series.window(metric, {}, start, end):
                found[Series(metric, sample.labels)].append((sample.time, sample.value))
    return {series: points(samples) for series, samples in found.items()}
