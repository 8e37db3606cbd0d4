"""Messages that are not for us: counted, told once a kind, never shown."""

from __future__ import annotations

import logging
import threading
from collections import Counter

log = logging.getLogger(__name__)


class Garbage:
    """Counts what was refused on one broker. ``kind`` never holds anything of a message's content."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kinds: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """Messages refused so far."""
        with self._lock:
            return self._kinds.total()

    @property
    def kinds(self) -> dict[str, int]:
        """Messages refused so far, by kind."""
        with self._lock:
            return dict(self._kinds)

    def refuse(self, kind: str) -> None:
        """Count a message; the first of its kind is told."""
        with self._lock:
            self._kinds[kind] += 1
            first = self._kinds[kind] == 1
        if first:
            log.warning("refused a message: %s; more of this kind are counted only", kind)
