"""The file of an SQLite database: made for its owner only, and missed when it goes away under open connections."""

from __future__ import annotations

import os
from contextlib import suppress

from nightowl.core.errors import StoreUnavailable


class DatabaseFile:
    """The file at ``path``, as the first connection of this process found it. Safe from any thread.

    SQLite goes on reading and writing a file that was deleted, and all of it is lost at the end. To open what stands
    at the path then would be worse: processes that have the old file open share the files beside it (``-wal``,
    ``-shm``) with those that open the new one, and spoil it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._opened: tuple[int, int] | None = None

    def prepare(self) -> None:
        """Before a connection: make the file of a new database for its owner only, as it will hold password hashes.

        SQLite gives the files beside it (``-wal``, ``-shm``) the same mode. A file that is there is not even opened:
        closing it again would drop the locks that this process holds on it. Raises ``StoreUnavailable`` as ``require``.
        """
        self.require()
        if self._opened is None:
            with suppress(OSError):  # it is there, or SQLite says why it cannot be
                os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

    def opened(self) -> None:
        """After a connection: note which file it is, if it is the first one."""
        self._opened = self._opened or self._identity()

    def require(self) -> None:
        """Raise ``StoreUnavailable`` where the path leads to another file than the one that was opened, or to none."""
        if self._opened is not None and self._identity() != self._opened:
            raise StoreUnavailable(
                f"Store {self.path}: the file was deleted or replaced while it was in use; put it back, or stop all "
                "processes of NightOwl that use it and start them again, which begins with what is there then"
            )

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self.path)  # noqa: PTH116 - for every transaction, and a Path would take as long again
        except OSError:
            return None
        return found.st_dev, found.st_ino
