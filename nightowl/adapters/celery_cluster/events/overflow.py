"""Notice that RabbitMQ throws away what waits in our queue, the oldest first, as it does silently once it is full."""

from __future__ import annotations

from nightowl.core.cluster.events import Gap

WAITING = 200_000
"""Messages that wait in our queue on the broker at most: some 250 MB on its disk, as a message of a busy worker has
three to four events. When there are more, the oldest go (``x-max-length``, drop-head)."""

NEARLY = 0.8
"""The share of that from which events count as lost. From a full queue it takes about a second to read this far, and
the length is looked at more often than that."""

TELL = 10.0
"""Seconds between gaps while the queue stays full."""

REASON = f"more than {WAITING:,} messages waited in the queue of events on the broker, which dropped the oldest"


class Overflow:
    """Watches the queue's length."""

    def __init__(self) -> None:
        self._from: float | None = None

    def counted(self, waiting: int, sure: float, now: float) -> Gap | None:
        """Return what was, or may have been, lost: told when it has ended, or every ``TELL`` seconds.

        ``sure`` is until when all has been taken in, both are Unix seconds.
        """
        full = waiting >= WAITING * NEARLY
        if self._from is None:
            self._from = sure if full else None
            return None
        if full and now - self._from < TELL:
            return None
        gap = Gap(start=self._from, end=now, reason=REASON)
        self._from = now if full else None
        return gap
