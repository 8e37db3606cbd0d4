"""Samples in files of rows ``series,ts,value`` (CSV); see ``core.sample_rows``."""

from __future__ import annotations

import csv
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path

from nightowl.core.errors import Refused
from nightowl.core.points import Points
from nightowl.core.sample_rows import gathered
from nightowl.core.series import Series

Progress = Callable[[int, int], None]
"""Is told how many bytes of how many have been read."""


def read_samples(file: Path, progress: Progress = lambda _done, _total: None) -> dict[Series, Points]:
    """Return a file's samples by series. NaN and infinities are missing samples.

    Raises:
        Refused: the file cannot be read, or rows of it are malformed; all of them are named, up to a bound.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as raw, TextIOWrapper(raw, encoding="utf-8", newline="") as lines:
            return gathered(str(file), csv.reader(lines), lambda: progress(raw.tell(), size))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{file}: cannot be read as CSV: {error}") from None
