"""Notices when a configuration's files change, and loads it anew: whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

from nightowl.config.loading import load
from nightowl.config.models import BUILT_IN_KINDS
from nightowl.config.reading import toml_files
from nightowl.config.settings import Configuration
from nightowl.core.errors import ConfigurationError

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
    ) -> None:
        """Load for the first time.

        Raises:
            ConfigurationError: with every mistake.
        """
        self._path = path
        self._environ = environ
        self._kinds = kinds
        self._seen: Fingerprint = {}
        self.error = ""
        self.current = self._load()

    def poll(self) -> Configuration | None:
        """Load anew if a file changed since the last time, and return the new configuration if it is valid."""
        return self.reload() if self._fingerprint(self._seen) != self._seen else None

    def reload(self) -> Configuration | None:
        """Load anew whether or not a file changed; None: it is not valid, ``error`` says why."""
        try:
            self.current = self._load()
        except ConfigurationError as error:
            self.error = str(error)
            return None
        self.error = ""
        return self.current

    def _load(self) -> Configuration:
        """Load, remembering how the files were before, so that a change meanwhile is seen next time."""
        before = self._fingerprint(self._seen)
        try:
            configuration = load(self._path, environ=self._environ, kinds=self._kinds)
        except ConfigurationError:
            self._seen = before
            raise
        self._seen = before | {file: _stat(file) for file in configuration.files if file not in before}
        return configuration

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
