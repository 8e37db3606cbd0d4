"""Sends samples to carbon: in plain text or as pickled points, as dotted paths or with tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from nightowl.adapters.sinks.sockets import Line
from nightowl.core.sinks.beginnings import Beginnings
from nightowl.core.sinks.graphite import frames, lines, points, tagged
from nightowl.core.sinks.paths import DEFAULT, dotted
from nightowl.core.sinks.selection import relabelled
from nightowl.core.sinks.settings import SinkSettings
from nightowl.core.values import Sample
from nightowl.ports import Dropped

PORTION = 2_000
"""Lines that are sent at once."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of this kind alone."""

    protocol: Literal["plaintext", "pickle"] = "plaintext"
    tags: bool = False
    template: str = DEFAULT


class Graphite:
    """See ``ports.Sink``. A snapshot that is sent again overwrites itself."""

    def __init__(self, settings: SinkSettings) -> None:
        options = msgspec.convert(settings.options, Options)
        self._labels = settings.labels
        self._pickles = options.protocol == "pickle"
        self._name = tagged(settings.prefix) if options.tags else dotted(settings.prefix, options.template)
        self._beginnings = Beginnings(settings.labels, settings.every)
        self._line = Line(f"tcp://{settings.address}")

    def emit(self, samples: Sequence[Sample], at: float) -> Dropped:
        """Send all samples at their time, and before them the zeros of counters that are new."""
        named = [*self._beginnings.of(samples, at), *relabelled(samples, self._labels)]
        found = list(points(named, self._name))
        if self._pickles:
            self._line.send(frames(found))
        else:
            texts = list(lines(found))
            self._line.send("".join(texts[first : first + PORTION]).encode() for first in range(0, len(texts), PORTION))
        self._beginnings.taken(samples, at)
        unfit = len(named) - len(found)
        return {"unfit": unfit} if unfit else {}

    def close(self) -> None:
        """Let the connection go."""
        self._line.close()
