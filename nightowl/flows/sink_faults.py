"""Sinks whose receivers have taken nothing for some minutes, as faults of NightOwl's own."""

from __future__ import annotations

from collections.abc import Iterable

from nightowl.core.values import Sample, Severity
from nightowl.flows.faults import Fault

PATIENCE = 300.0
"""Seconds for which a receiver may take nothing before that is an incident."""

METRIC = "nightowl_sink_up"

_ENOUGH = 10
"""Samples in that time that are needed to say so: figures come every 10 seconds, and a start needs some."""


def sink_faults(samples: Iterable[Sample], now: float) -> dict[str, Fault]:
    """Return the faults by subject (``sink/NAME``), from the samples of ``METRIC`` in the last ``PATIENCE`` seconds."""
    ups: dict[str, list[Sample]] = {}
    for sample in samples:
        ups.setdefault(dict(sample.labels)["sink"], []).append(sample)
    return {
        f"sink/{name}": Fault(
            f"the receiver of sink {name} has taken nothing for {PATIENCE / 60:.0f} minutes",
            now,
            Severity.WARNING,
        )
        for name, found in ups.items()
        if len(found) >= _ENOUGH and not any(sample.value for sample in found)
    }
