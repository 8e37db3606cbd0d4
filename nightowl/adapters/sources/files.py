"""A folder of sample files that another program writes, so that collection and computation are kept apart.

Each file ``*.csv`` has rows ``series,ts,value``. A file is read again when it has changed, and forgotten when it is
gone; a program that writes them should write under another name and rename, so that no file is seen half written.
"""

from __future__ import annotations

import csv
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path

import msgspec

from nightowl.core.errors import Refused
from nightowl.core.points import Points, points
from nightowl.core.reading import Got, Need, SourceSettings, fill, fill_patterns
from nightowl.core.sample_rows import gathered
from nightowl.core.series import Series, selects

LARGEST = 64 * 1024 * 1024
"""Bytes of a file at most."""

MOST_FILES = 10_000
"""Files of a folder at most."""


class _File(msgspec.Struct, frozen=True):
    """What was read of a file, and by what it is known to be the same still."""

    stamp: tuple[int, int, int]
    series: Mapping[Series, Points]


class Folder:
    """See ``ports.Source``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: dict[Path, _File] = {}
        self._known: dict[Series, Points] = {}
        self._lock = threading.Lock()

    def read(self, needs: Sequence[Need], seconds: float) -> list[dict[str, Got]]:  # noqa: ARG002 - files do not wait
        """Return, for each need, what there is by identifier."""
        try:
            with self._lock:
                known = self._refreshed()
        except (OSError, Refused) as error:
            fault = _first_line(error)
            return [dict.fromkeys(need.identifiers, Got(fault=fault)) for need in needs]
        return [{each: Got(dict(_wanted(need, each, known))) for each in need.identifiers} for need in needs]

    def _refreshed(self) -> Mapping[Series, Points]:
        """Read what is new or has changed. Raises ``OSError``, or ``Refused`` for what is no file of samples."""
        stamps = {}
        for file in self._path.iterdir():
            if file.suffix == ".csv" and not file.name.startswith("."):
                status = file.stat()
                stamps[file] = (status.st_mtime_ns, status.st_size, status.st_ino)
        if len(stamps) > MOST_FILES:
            raise Refused(f"the folder has {len(stamps)} files, and may have {MOST_FILES}")
        same = {file: known for file, known in self._files.items() if stamps.get(file) == known.stamp}
        if len(same) == len(stamps) == len(self._files):
            return self._known
        changed = {file: _File(stamp, _read(file, stamp[1])) for file, stamp in stamps.items() if file not in same}
        self._files = same | changed
        self._known = _together([self._files[file] for file in sorted(self._files, key=lambda each: each.name)])
        return self._known


def source(settings: SourceSettings) -> Folder:
    """Return the source of some settings."""
    return Folder(Path(settings.path))


def _read(file: Path, size: int) -> dict[Series, Points]:
    if size > LARGEST:
        raise Refused(f"{file.name} is larger than {LARGEST // 1024**2} MiB")
    try:
        with file.open("rb") as raw, TextIOWrapper(raw, encoding="utf-8", newline="") as lines:
            return gathered(file.name, csv.reader(lines))
    except (UnicodeDecodeError, csv.Error):
        raise Refused(f"{file.name} is not CSV") from None


def _together(files: Sequence[_File]) -> dict[Series, Points]:
    """Put files together by name; of two samples of one series and time that of the last file counts."""
    found: defaultdict[Series, list[Points]] = defaultdict(list)
    for file in files:
        for series, samples in file.series.items():
            found[series].append(samples)
    return {
        series: parts[0]
        if len(parts) == 1
        else points((at, value) for part in parts for at, value in zip(part.times, part.values, strict=True))
        for series, parts in found.items()
    }


def _wanted(need: Need, identifier: str, known: Mapping[Series, Points]) -> Iterator[tuple[Series, Points]]:
    metric, where = fill(need.metric, identifier), fill_patterns(need.where, identifier)
    for series, samples in known.items():
        if selects(metric, where, series) and any(len(samples.window(*window)) for window in need.windows):
            yield series, samples


def _first_line(error: OSError | Refused) -> str:
    if isinstance(error, OSError):
        return f"the folder cannot be read: {(error.strerror or 'unknown error').lower()}"
    return str(error).splitlines()[0]
