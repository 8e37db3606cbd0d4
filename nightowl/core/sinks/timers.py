"""Single durations out of the buckets of a histogram, for receivers that want timers.

NightOwl counts durations in buckets. Within its bucket they are taken to lie evenly around a mean; the means are moved
within their buckets until the sum of all is the true one. Each duration that is told is the mean of an equal share of
all, from the shortest to the longest. So count, sum and mean are exact, and what a share has from one bucket alone lies
in that bucket, as do percentiles.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from math import ceil, inf

import msgspec

from nightowl.core.series import Labels
from nightowl.core.values import Sample

_BEYOND = 1.5
"""How many times the last bound is what lies beyond it, where the sum does not say that it is more."""

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
    heaps = _heaps(spread)
    number = max(1, min(most, ceil(spread.count * share)))
    portion = spread.count / number
    found = []
    for place in range(number):
        start, end, total, before = place * portion, (place + 1) * portion, 0.0, 0.0
        for count, low, high in heaps:
            first, last = max(start, before), min(end, before + count)
            if last > first:
                middle = (first + last) / 2 - before
                total += (last - first) * (low + (high - low) * middle / count)
            before += count
        found.append(total / portion)
    return found


def _heaps(spread: Spread) -> list[tuple[float, float, float]]:
    """How many lie evenly between which two bounds, rising, so that the sum of all is that of the spread."""
    lowers = dict(pairwise([bound for bound, _ in spread.counts][::-1]))
    filled = [(count, lowers.get(bound, 0.0), bound) for bound, count in spread.counts if count > 0]
    means = [(lower + upper) / 2 if upper < inf else _BEYOND * lower for _, lower, upper in filled]
    gap = spread.sum - sum(count * mean for (count, _, _), mean in zip(filled, means, strict=True))
    if gap > 0 and filled[-1][2] == inf:
        means[-1] += gap / filled[-1][0]
    else:
        ends = [upper if gap > 0 else lower for _, lower, upper in filled]
        room = sum(count * (end - mean) for (count, _, _), end, mean in zip(filled, ends, means, strict=True))
        part = min(1.0, gap / room) if room else 0.0
        means = [mean + part * (end - mean) for end, mean in zip(ends, means, strict=True)]
    heaps = []
    for (count, lower, upper), mean in zip(filled, means, strict=True):
        width = max(0.0, min(mean - lower, upper - mean))
        heaps.append((count, mean - width, mean + width))
    return heaps


def _apart(bounds: dict[float, float]) -> tuple[tuple[float, float], ...]:
    """Take cumulated buckets apart."""
    found, before = [], 0.0
    for bound, count in sorted(bounds.items()):
        found.append((bound, max(0.0, count - before)))
        before = max(before, count)
    return tuple(found)
