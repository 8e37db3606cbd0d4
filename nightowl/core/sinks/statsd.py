"""Lines of StatsD (https://github.com/statsd/statsd/blob/master/docs/metric_types.md), in four dialects of tags.

=============  =========================================================================
plain          ``nightowl.shop.celery_queue_length.emails:4|g``: labels in the path
dogstatsd      ``nightowl.celery_queue_length:4|g|#cluster:shop,queue_name:emails``
influx         ``nightowl.celery_queue_length,cluster=shop,queue_name=emails:4|g``
graphite       ``nightowl.celery_queue_length;cluster=shop;queue_name=emails:4|g``
=============  =========================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Literal

import msgspec

from nightowl.core.series import Labels
from nightowl.core.sinks.paths import DEFAULT, Name, dotted, remembered, tags, under
from nightowl.core.sinks.timers import Spread, durations
from nightowl.core.values import Sample

Dialect = Literal["plain", "dogstatsd", "influx", "graphite"]

NAMES: Mapping[Dialect, str] = {"plain": "", "dogstatsd": "", "influx": ",", "graphite": ";"}
"""What stands before each tag in the name, by dialect."""


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """How one receiver wants its lines.

    ``values`` and ``share`` bound the durations that are sent of each timer and snapshot.
    """

    dialect: Dialect = "plain"
    prefix: str = "nightowl"
    template: str = DEFAULT
    values: int = 20
    share: float = 1.0


class Writer:
    """Writes the lines of samples. What has to arrive together is one text of several lines."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._name = _names(language)

    def gauges(self, samples: Iterable[Sample]) -> Iterator[str]:
        """Yield the lines of gauges.

        A value with a sign is one to add, so that a negative one is set by way of 0. Datadog's agent has no such rule.
        NaN and infinities are left out.
        """
        for sample in filter(lambda each: isfinite(each.value), samples):
            name, end = self._name(sample.metric, sample.labels).split("\n")
            value = _number(sample.value)
            line = f"{name}:{value}|g{end}"
            if sample.value < 0 and self._language.dialect != "dogstatsd":
                line = f"{name}:0|g{end}\n{line}"
            yield line

    def counts(self, deltas: Iterable[Sample]) -> Iterator[str]:
        """Yield the lines of counters that rose."""
        for delta in deltas:
            if delta.value > 0:
                name, end = self._name(delta.metric, delta.labels).split("\n")
                yield f"{name}:{_number(delta.value)}|c{end}"

    def timers(self, spreads: Iterable[Spread]) -> Iterator[str]:
        """Yield the lines of durations, in milliseconds, each with the rate by which the receiver counts it."""
        for spread in spreads:
            found = durations(spread, self._language.values, self._language.share)
            rate = len(found) / spread.count
            sampled = f"|@{_number(rate)}" if rate < 1 else ""
            name, end = self._name(spread.metric, spread.labels).split("\n")
            for seconds in found:
                yield f"{name}:{_number(seconds * 1000)}|ms{sampled}{end}"


def _names(language: Language) -> Name:
    """Return what makes the name of a series and, behind a line end, what stands at the end of its lines."""
    if language.dialect == "plain":
        path = dotted(language.prefix, language.template)
        return lambda metric, labels: f"{path(metric, labels)}\n"
    between = NAMES[language.dialect]

    def make(metric: str, labels: Labels) -> str:
        name, pairs = under(language.prefix, metric), tags(labels, narrow=bool(between))
        if between:
            return name + "".join(f"{between}{key}={value}" for key, value in pairs) + "\n"
        return f"{name}\n" + (f"|#{','.join(f'{key}:{value}' for key, value in pairs)}" if pairs else "")

    return remembered(make)


def _number(value: float) -> str:
    """Return a number without an exponent, which not every receiver reads."""
    if value == int(value):
        return str(int(value))
    return f"{value:.12f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else str(int(value))
