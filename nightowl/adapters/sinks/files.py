"""Appends samples to CSV files of a folder, rotated by size and age, and deletes those that are old.

A snapshot is written at once and whole: what could not be written to its end is cut off again, so that no row is ever
there in part but while it is being written.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from nightowl.core.errors import DeliveryFailed
from nightowl.core.sinks.beginnings import Beginnings
from nightowl.core.sinks.rows import HEAD, file_name, rows
from nightowl.core.sinks.selection import relabelled
from nightowl.core.sinks.settings import SinkSettings
from nightowl.core.values import Sample
from nightowl.ports import Dropped


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of this kind alone: a folder, bytes, and seconds."""

    path: str
    max_size: int = 16_000_000
    max_age: float = 3600.0
    keep: float = 604_800.0


class Files:
    """See ``ports.Sink``."""

    def __init__(self, settings: SinkSettings) -> None:
        self._options = msgspec.convert(settings.options, Options)
        self._name = settings.name
        self._labels = settings.labels
        self._prefix = settings.prefix
        self._beginnings = Beginnings(settings.labels, settings.every)
        self._folder = Path(self._options.path)
        self._file: int | None = None
        self._began = self._size = 0.0

    def emit(self, samples: Sequence[Sample], at: float) -> Dropped:
        """Append a row for each sample, and before them one for the zero of each counter that is new."""
        named = [*self._beginnings.of(samples, at), *relabelled(samples, self._labels)]
        lines = list(rows(named, self._prefix))
        try:
            self._append("".join(lines).encode(), at)
        except OSError as error:
            self.close()
            said = (error.strerror or "unknown error").lower()
            raise DeliveryFailed(f"the file cannot be written: {said}") from None
        self._beginnings.taken(samples, at)
        unfit = len(named) - len(lines)
        return {"unfit": unfit} if unfit else {}

    def close(self) -> None:
        """Close the file; the next one is a new one."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _append(self, data: bytes, at: float) -> None:
        options = self._options
        full = self._size and self._size + len(data) > options.max_size
        if self._file is None or full or not 0 <= at - self._began < options.max_age:
            self.close()
            self._begin(at)
        assert self._file is not None
        before = os.fstat(self._file).st_size
        data = data if before else HEAD.encode() + data
        if os.write(self._file, data) < len(data):
            os.ftruncate(self._file, before)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size = before + len(data)

    def _begin(self, at: float) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(self._folder / file_name(self._name, at), flags, 0o640)
        self._began, self._size = at, 0.0
        oldest = file_name(self._name, at - self._options.keep)
        length = len(oldest)
        for file in self._folder.glob(f"{self._name}-*Z.csv"):
            if len(file.name) == length and file.name < oldest:
                with suppress(FileNotFoundError):
                    file.unlink()
