"""What carbon reads: lines ``path value time``, or frames of pickled points (https://graphite.readthedocs.io/)."""

from __future__ import annotations

import math
import pickle
import struct
from collections.abc import Iterable, Iterator, Sequence

from nightowl.core.series import Labels
from nightowl.core.sinks.paths import Name, remembered, tags, under
from nightowl.core.values import Sample

LARGEST = 2**20
"""Bytes of a frame at most: carbon ends the connection at a larger one (``MAX_LENGTH``)."""

POINTS = 500
"""Points of a frame at most."""

Point = tuple[str, tuple[int, float]]
"""A path, and its time (Unix seconds) and value."""


def tagged(prefix: str) -> Name:
    """Return what makes names with tags: ``nightowl.check_up;check=shop;location=paris``."""

    def make(metric: str, labels: Labels) -> str:
        return under(prefix, metric) + "".join(f";{key}={value}" for key, value in tags(labels))

    return remembered(make)


def points(samples: Iterable[Sample], name: Name) -> Iterator[Point]:
    """Yield the points of samples; NaN and infinities are left out."""
    for sample in samples:
        if math.isfinite(sample.value):
            yield name(sample.metric, sample.labels), (int(sample.time), sample.value)


def lines(found: Iterable[Point]) -> Iterator[str]:
    """Yield the line of each point, with its line end."""
    for path, (at, value) in found:
        yield f"{path} {value!r} {at}\n"


def frames(found: Sequence[Point]) -> Iterator[bytes]:
    """Yield frames: four bytes of length, and points pickled by protocol 2; none is larger than carbon takes."""
    for first in range(0, len(found), POINTS):
        yield from _framed(found[first : first + POINTS])


def _framed(found: Sequence[Point]) -> Iterator[bytes]:
    body = pickle.dumps(list(found), protocol=2)
    if len(body) > LARGEST and len(found) > 1:
        half = len(found) // 2
        yield from _framed(found[:half])
        yield from _framed(found[half:])
        return
    yield struct.pack("!L", len(body)) + body
