"""Notices when a configuration's files change, and loads it anew: whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

from nightowl.config.loading import Loaded, load_whole
from nightowl.config.models import BUILT_IN_KINDS, CHANNEL_KINDS, SINK_KINDS
from nightowl.config.reading import toml_files
from nightowl.config.rules import STRATEGIES
from nightowl.config.settings import Configuration
from nightowl.config.sources import BUILT_IN_SOURCES

Fingerprint = dict[Path, tuple[int, int, int] | None]
"""Modification time, size and inode of each file (None: not there)."""


class Watched:
    """A configuration that follows its files. The caller owns thread and signals.

    ``current`` is the newest valid configuration; ``error`` says why the files as they are now are not it (empty:
    they are).
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        environ: Mapping[str, str] = os.environ,
        kinds: Collection[str] = BUILT_IN_KINDS,
        strategies: Collection[str] = STRATEGIES,
        sources: Collection[str] = BUILT_IN_SOURCES,
        channel_kinds: Collection[str] = CHANNEL_KINDS,
        sink_kinds: Collection[str] = SINK_KINDS,
    ) -> None:
        """Load for the first time.

        Raises:
            ConfigurationError: with every mistake.
        """
        self._path = path
        self._environ = environ
        self._kinds = kinds
        self._strategies = strategies
        self._sources = sources
        self._channel_kinds = channel_kinds
        self._sink_kinds = sink_kinds
        self._seen: Fingerprint = {}
        self.error = ""
        loaded = self._load()
        loaded.report.raise_if_any()
        self.current = loaded.configuration

    def poll(self) -> Configuration | None:
        """Load anew if a file changed since the last time, and return the new configuration if it is valid."""
        return self.reload() if self._fingerprint(self._seen) != self._seen else None

    def reload(self) -> Configuration | None:
        """Load anew whether or not a file changed; None: it is not valid, ``error`` says why."""
        loaded = self._load()
        self.error = "\n".join(str(mistake) for mistake in loaded.report.mistakes)
        if self.error:
            return None
        self.current = loaded.configuration
        return self.current

    def _load(self) -> Loaded:
        """Load, remembering how the files were before, so that a change meanwhile is seen next time."""
        before = self._fingerprint(self._seen)
        loaded = load_whole(
            self._path,
            self._environ,
            self._kinds,
            self._strategies,
            self._sources,
            self._channel_kinds,
            self._sink_kinds,
        )
        self._seen = before | {file: _stat(file) for file in loaded.files if file not in before}
        return loaded

    def _fingerprint(self, known: Fingerprint) -> Fingerprint:
        """Return the state of the files known, and of those that are in the folder now."""
        try:
            found = toml_files(Path(self._path))
        except OSError:
            found = []
        return {file: _stat(file) for file in (*known, *found)}


def _stat(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
