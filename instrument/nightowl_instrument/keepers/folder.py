"""Locks and texts in a folder that all processes see: a file each. A lock's time is that of the machine's clock."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote


class FolderKeeper:
    """See ``Keeper``. A file named ``.guard`` is locked by the system while another one is looked at and changed."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)

    def acquire(self, name: str, token: str, lasts: float) -> bool:
        """Take a lock for ``lasts`` seconds, if nobody has it."""
        with self._guarded():
            owner, until = self._owner(name)
            now = time.time()
            if owner not in ("", token) and now < until:
                return False
            self._write(self._path(name, "lock"), f"{token} {now + lasts:.3f}")
            return True

    def release(self, name: str, token: str) -> None:
        """Give a lock back, if ``token`` still has it."""
        with self._guarded():
            if self._owner(name)[0] == token:
                self._path(name, "lock").unlink()

    def save(self, name: str, text: str) -> None:
        """Keep a text under a name."""
        with self._guarded():
            self._write(self._path(name, "json"), text)

    def load(self, name: str) -> str | None:
        """Return what is kept under a name."""
        try:
            return self._path(name, "json").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def forget(self, name: str) -> None:
        """Keep nothing under a name any more."""
        with suppress(FileNotFoundError):
            self._path(name, "json").unlink()

    def _owner(self, name: str) -> tuple[str, float]:
        try:
            token, _, until = self._path(name, "lock").read_text(encoding="utf-8").partition(" ")
            return token, float(until)
        except (FileNotFoundError, ValueError):
            return "", 0.0

    def _path(self, name: str, kind: str) -> Path:
        return self._folder / f"{quote(name, safe='')}.{kind}"

    @staticmethod
    def _write(path: Path, text: str) -> None:
        part = path.with_name(f"{path.name}.part")
        part.write_text(text, encoding="utf-8")
        part.replace(path)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        descriptor = os.open(self._folder / ".guard", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
