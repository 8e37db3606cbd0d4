"""Sends samples to StatsD: gauges, counters by how much they rose, and histograms as timers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

import msgspec

from nightowl.adapters.sinks.sockets import Line
from nightowl.core.sinks.datagrams import packed
from nightowl.core.sinks.deltas import Deltas
from nightowl.core.sinks.paths import DEFAULT
from nightowl.core.sinks.selection import is_counter, relabelled
from nightowl.core.sinks.settings import SinkSettings
from nightowl.core.sinks.statsd import Dialect, Language, Writer
from nightowl.core.sinks.timers import spreads
from nightowl.core.values import Sample
from nightowl.ports import Dropped

STREAM = 65_536
"""Bytes of one portion over TCP."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of this kind alone."""

    dialect: Dialect = "plain"
    template: str = DEFAULT
    packet_size: int = 1432
    timer_values: int = 20
    sample_rate: float = 1.0


class Statsd:
    """See ``ports.Sink``. A receiver knows no times: only the newest snapshot is of use to it."""

    newest: ClassVar = True

    def __init__(self, settings: SinkSettings) -> None:
        options = msgspec.convert(settings.options, Options)
        language = Language(
            dialect=options.dialect,
            prefix=settings.prefix,
            template=options.template,
            values=options.timer_values,
            share=options.sample_rate,
        )
        self._labels = settings.labels
        self._writer = Writer(language)
        self._deltas = Deltas()
        self._line = Line(settings.address)
        self._most = STREAM if self._line.streams else options.packet_size

    def emit(self, samples: Sequence[Sample], at: float) -> Dropped:  # noqa: ARG002 - it is now
        """Send gauges as they are, and of counters what they rose since the last snapshot that was sent."""
        portions = list(packed(self._lines(samples), self._most))
        self._line.send([portion + b"\n" for portion in portions] if self._line.streams else portions)
        self._deltas.taken(samples)
        return {}

    def close(self) -> None:
        """Let the socket go."""
        self._line.close()

    def _lines(self, samples: Iterable[Sample]) -> Iterator[str]:
        gauges, rises = [sample for sample in samples if not is_counter(sample.metric)], self._deltas.of(samples)
        timers, counters = spreads(relabelled(rises, self._labels))
        yield from self._writer.gauges(relabelled(gauges, self._labels))
        yield from self._writer.counts(counters)
        yield from self._writer.timers(timers)
