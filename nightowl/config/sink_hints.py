"""What sinks are told to send or to name that no sample has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nightowl.config.settings import Hint
from nightowl.core.sinks.names import LABELS, labels_left, places_named, strangers
from nightowl.core.sinks.selection import changed
from nightowl.core.sinks.settings import SinkSettings


def sink_hints(sinks: Iterable[SinkSettings]) -> Iterator[Hint]:
    """Yield where sinks speak of a metric or a label that there is not."""
    for sink in sinks:
        yield from _hints(sink)


def _hints(sink: SinkSettings) -> Iterator[Hint]:
    if found := strangers(sink.metrics):
        text = f"no metric is like {', '.join(found)}, so nothing is sent for it"
        yield Hint(number="NO29", key=f"sink.{sink.name}.metrics", text=text)
    left = labels_left(sink.labels)
    spoken_of = {
        "labels": (changed(sink.labels), LABELS),
        "template": (places_named(str(sink.options.get("template", ""))), left),
        "dimensions": (sink.options.get("dimensions", ()) if sink.kind == "cloudwatch" else (), left),
    }
    for key, (names, known) in spoken_of.items():
        if unknown := [name for name in names if name not in known]:
            text = f"no sample has the label {', '.join(unknown)}; there are {', '.join(sorted(known))}"
            yield Hint(number="NO29", key=f"sink.{sink.name}.{key}", text=text)
