"""Single durations out of the buckets of a histogram, for receivers that want timers.

NightOwl counts durations in buckets. What was counted between two snapshots is told as some durations that lie as the
counted ones do: evenly over each bucket that holds any, and moved within their buckets until their mean is the true
one. So count, sum and mean are exact, and a percentile lies in the same bucket as the true one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import ceil, inf, isfinite

import msgspec

from nightowl.core.series import Labels
from nightowl.core.values import Sample

_PARTS = ("_bucket", "_count", "_sum")


class Spread(msgspec.Struct, frozen=True):
    """Durations of a series: how many lie in each bucket, by its upper bound in seconds, and the sum of all."""

    metric: str
    labels: Labels
    counts: tuple[tuple[float, float], ...]
    sum: float

    @property
    def count(self) -> float:
        """How many there are."""
        return sum(count for _, count in self.counts)


def spreads(deltas: Iterable[Sample]) -> tuple[list[Spread], list[Sample]]:
    """Put the parts of histograms together; return these, and the samples that are no such parts.

    ``deltas`` are how much each part rose. A histogram without buckets, as where they are not selected, stays as it is.
    """
    buckets: dict[tuple[str, Labels], dict[float, float]] = {}
    sums: dict[tuple[str, Labels], float] = {}
    others: list[Sample] = []
    for sample in deltas:
        part = next((part for part in _PARTS if sample.metric.endswith(part)), "")
        base, bound = sample.metric.removesuffix(part), dict(sample.labels).get("le")
        if part == "_bucket" and bound is not None:
            labels = tuple(pair for pair in sample.labels if pair[0] != "le")
            buckets.setdefault((base, labels), {})[float(bound)] = sample.value
        elif part == "_sum":
            sums[base, sample.labels] = sample.value
            others.append(sample)
        else:
            others.append(sample)
    found = [Spread(*key, _apart(bounds), sums.get(key, 0.0)) for key, bounds in buckets.items()]
    told = {(f"{metric}{part}", labels) for metric, labels in buckets for part in ("_count", "_sum")}
    return [each for each in found if each.count > 0], [
        sample for sample in others if (sample.metric, sample.labels) not in told
    ]


def durations(spread: Spread, most: int, share: float = 1.0) -> list[float]:
    """Return up to ``most`` durations (seconds) that stand for all of a spread: about a ``share`` of them, or one."""
    filled = [(bound, count) for bound, count in spread.counts if count > 0]
    bounds = [bound for bound, _ in spread.counts]
    ends = list(accumulate(count for _, count in filled))
    number = max(1, min(most, ceil(spread.count * share)))
    found: list[tuple[float, float, float]] = []
    for place in range(number):
        rank = (place + 0.5) / number * ends[-1]
        at = min(bisect_left(ends, rank), len(ends) - 1)
        upper, count = filled[at]
        lower = max((bound for bound in bounds if bound < upper), default=0.0)
        within = (rank - (ends[at] - count)) / count
        found.append((lower, lower + (upper - lower) * within if isfinite(upper) else lower, upper))
    return _meaning(found, spread.sum / spread.count)


def _meaning(found: Sequence[tuple[float, float, float]], mean: float) -> list[float]:
    """Move values within their bounds until their mean is ``mean``; beyond them only where it cannot be otherwise."""
    values = [value for _, value, _ in found]
    gap = mean * len(values) - sum(values)
    open_ended = [at for at, (_, _, upper) in enumerate(found) if upper == inf]
    if gap > 0 and open_ended:
        return [value + (gap / len(open_ended) if at in open_ended else 0.0) for at, value in enumerate(values)]
    ends = [upper if gap > 0 else lower for lower, _, upper in found]
    room = sum(end - value for end, value in zip(ends, values, strict=True))
    if room == 0:
        return [value + gap / len(values) for value in values]
    part = min(1.0, gap / room)
    values = [value + part * (end - value) for end, value in zip(ends, values, strict=True)]
    total = sum(values)
    return [value * mean * len(values) / total for value in values] if total > 0 else values


def _apart(bounds: dict[float, float]) -> tuple[tuple[float, float], ...]:
    """Take cumulated buckets apart."""
    found, before = [], 0.0
    for bound, count in sorted(bounds.items()):
        found.append((bound, max(0.0, count - before)))
        before = max(before, count)
    return tuple(found)
