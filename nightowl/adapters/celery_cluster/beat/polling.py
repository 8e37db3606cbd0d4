"""The entries of all places, read again and again in the background."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from threading import Event, Thread

import msgspec

from nightowl.core.cluster.beat import Entry, due_of
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.cluster.state import Due
from nightowl.core.errors import Unavailable
from nightowl.core.redaction import hiding, without_password
from nightowl.ports import Clock

log = logging.getLogger(__name__)

_LONGEST = 500  # characters of what is said to be missing


class Source(msgspec.Struct):
    """A place of entries: read every so many seconds; ``missing`` is why that was not possible last (empty: it was)."""

    read: Callable[[], list[Entry]]
    every: float
    found: list[Entry] = []
    missing: str = ""
    next: float = 0.0


class Entries:
    """The entries of a cluster, as they stand when asked. A thread reads them; whoever asks never waits for that."""

    def __init__(
        self, sources: Sequence[Source], settings: ClusterSettings, clock: Clock, seen: Callable[[str], float | None]
    ) -> None:
        self._sources = sources
        self._settings = settings
        self._clock = clock
        self._seen = seen
        self._mask = hiding(settings.secrets)
        self._over = Event()
        self._thread = Thread(target=self._run, name=f"beat-{settings.name}", daemon=True)
        if sources:
            self._thread.start()

    def __call__(self) -> list[Due]:
        """How each entry stands, by name."""
        now = self._clock.now()
        found = [entry for source in self._sources for entry in source.found]
        dues = [due_of(entry, self._settings, self._seen(entry.task), now) for entry in found]
        return sorted(dues, key=lambda due: due.name)

    @property
    def missing(self) -> tuple[str, ...]:
        """Why entries cannot be read, a sentence for each place; what was read before is still shown."""
        return tuple(source.missing for source in self._sources if source.missing)

    def close(self) -> None:
        """Read no more."""
        self._over.set()
        if self._sources:
            self._thread.join(1.0)

    def _run(self) -> None:
        while not self._over.is_set():
            for source in self._sources:
                if self._clock.monotonic() >= source.next:
                    self._read(source)
            coming = min(source.next for source in self._sources)
            self._over.wait(max(0.1, coming - self._clock.monotonic()))

    def _read(self, source: Source) -> None:
        try:
            source.found = source.read()
        except Unavailable as error:
            source.missing = without_password(self._mask(str(error)))[:_LONGEST]
        except Exception as error:
            log.exception("beat entries of cluster %s", self._settings.name)
            source.missing = f"The beat entries cannot be read: {type(error).__name__}."
        else:
            source.missing = ""
        source.next = self._clock.monotonic() + source.every
