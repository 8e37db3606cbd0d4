"""Rows ``series,ts,value`` of CSV, as ``core.sample_rows`` reads them, and the names of the files they stand in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from math import isfinite

from nightowl.core.series import Series
from nightowl.core.values import Sample

HEAD = "series,ts,value\n"


def rows(samples: Iterable[Sample], prefix: str = "") -> Iterator[str]:
    """Yield the row of each sample, with its line end; NaN and infinities are left out."""
    for sample in samples:
        if isfinite(sample.value):
            series = str(Series(prefix + sample.metric, sample.labels)).replace('"', '""')
            yield f'"{series}",{sample.time!r},{sample.value!r}\n'


def file_name(sink: str, at: float) -> str:
    """Return the name of the file that is begun at ``at`` (Unix seconds): names sort as times do."""
    return f"{sink}-{datetime.fromtimestamp(at, UTC).strftime('%Y%m%dT%H%M%S.%f')[:-3]}Z.csv"
