"""Data of Amazon CloudWatch within all limits of PutMetricData, as boto3 takes them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html and API_MetricDatum.html.
Receivers for tests enforce hardly any of these limits, so they are held here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Any

from nightowl.core.series import Labels
from nightowl.core.sinks.timers import Spread, durations
from nightowl.core.values import Sample

MOST = 1_000
"""Metrics of a request at most."""

LARGEST = 900_000
"""Bytes of a request at most, by an estimate that is never too low; CloudWatch takes 1 MB."""

MOST_DIMENSIONS = 30
"""Dimensions of a metric at most."""

GREATEST = 2.0**360
"""The greatest value, positive or negative."""

OLDEST, NEWEST = -14 * 86400.0, 2 * 3600.0
"""Seconds from now between which times have to be."""

STATUS = "QueueStatus"
"""The metric that says of a queue whether it is critical (1) or not (0)."""

Datum = dict[str, Any]
"""A metric datum, as boto3 takes it."""

_LONGEST_NAME, _LONGEST_VALUE = 255, 1024
_STATISTICS = 20
_FIELD = 80  # bytes of the longest name of a field in a request, and of what is around a value


def gauges(samples: Iterable[Sample], now: float, prefix: str = "") -> Iterator[Datum | None]:
    """Yield a datum for each sample (None: it cannot be one): gauges, or by how much a counter rose."""
    for sample in samples:
        good = isfinite(sample.value) and abs(sample.value) <= GREATEST
        head = _head(prefix + sample.metric, sample.labels, sample.time, now)
        yield head | {"Value": sample.value} if head and good else None


def timers(spreads: Iterable[Spread], at: float, now: float, prefix: str = "") -> Iterator[Datum | None]:
    """Yield a statistic set for each spread: count and sum are exact, minimum and maximum to a bucket."""
    for spread in spreads:
        found = durations(spread, _STATISTICS)
        head = _head(prefix + spread.metric, spread.labels, at, now)
        statistics = {
            "SampleCount": spread.count,
            "Sum": spread.sum,
            "Minimum": min(found),
            "Maximum": max(found),
        }
        good = all(isfinite(value) and abs(value) <= GREATEST for value in statistics.values())
        yield head | {"StatisticValues": statistics, "Unit": "Seconds"} if head and good else None


def statuses(samples: Iterable[Sample], thresholds: Mapping[str, float]) -> Iterator[Sample]:
    """Yield the status of each queue that has a threshold: 1 where it is reached, else 0."""
    for sample in samples:
        queue = dict(sample.labels).get("queue_name", "") if sample.metric == "celery_queue_length" else ""
        if queue in thresholds:
            yield Sample(STATUS, sample.labels, sample.time, float(sample.value >= thresholds[queue]))


def batches(data: Iterable[Datum]) -> Iterator[list[Datum]]:
    """Yield data in portions that one request may have."""
    batch: list[Datum] = []
    size = 0
    for datum in data:
        more = size_of(datum)
        if batch and (len(batch) == MOST or size + more > LARGEST):
            yield batch
            batch, size = [], 0
        batch.append(datum)
        size += more
    if batch:
        yield batch


def size_of(datum: Datum) -> int:
    """Return the bytes that a datum takes in a request at most, where each of its characters is escaped."""
    fields = 2 + len(datum) + len(datum.get("StatisticValues", ()))
    text = len(datum["MetricName"])
    for dimension in datum["Dimensions"]:
        fields += 2
        text += len(dimension["Name"]) + len(dimension["Value"])
    return fields * _FIELD + 3 * text


def _head(metric: str, labels: Labels, at: float, now: float) -> Datum | None:
    """What all data have (None: it cannot be sent)."""
    if not OLDEST < at - now < NEWEST or len(labels) > MOST_DIMENSIONS:
        return None
    dimensions = [
        {"Name": _ascii(name)[:_LONGEST_NAME], "Value": text}
        for name, value in labels
        if (text := _ascii(value)[:_LONGEST_VALUE])
    ]
    return {"MetricName": metric[:_LONGEST_NAME], "Dimensions": dimensions, "Timestamp": at}


def _ascii(text: str) -> str:
    """Return a text of printable ASCII, which is all that dimensions may have; blanks alone are nothing."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text).strip()
