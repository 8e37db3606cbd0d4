"""Sinks whose receivers have taken nothing for some minutes, as faults of NightOwl's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nightowl.core.values import Sample, Severity
from nightowl.flows.faults import Fault

PATIENCE = 300.0
"""Seconds for which a receiver may take nothing before that is an incident."""

METRIC = "nightowl_sink_up"

GAP = 60.0
"""Seconds between two samples from which on nobody was there to send: figures come every 10 seconds at least."""

LOOK = PATIENCE + GAP
"""Seconds of samples that are needed to tell."""


def sink_faults(samples: Iterable[Sample], now: float) -> dict[str, Fault]:
    """Return the faults by subject (``sink/NAME``), from the samples of ``METRIC`` in the last ``LOOK`` seconds."""
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
        if _down(sorted(found, key=lambda sample: sample.time), now)
    }


def _down(found: Sequence[Sample], now: float) -> bool:
    """Whether a receiver was away, and sent to, from ``PATIENCE`` seconds ago until now."""
    end = now
    for sample in reversed(found):
        if sample.value or end - sample.time > GAP:
            return False
        end = sample.time
        if end <= now - PATIENCE:
            return True
    return False
