"""Where NightOwl's samples are sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from nightowl.core.values import Sample

Dropped = Mapping[str, int]
"""Samples that were not delivered and will not be, by a word for the reason."""


class Sink(Protocol):
    """A receiver of samples. It is used by one thread, which is its own, so that it delays nobody else.

    One whose class says ``newest = True`` has no use for a snapshot once there is a newer one, as with receivers that
    know no times; any other gets all snapshots in their order.
    """

    def emit(self, samples: Sequence[Sample], at: float) -> Dropped:
        """Send the snapshot of ``at`` (Unix seconds), within some seconds, and return what it had to leave out.

        Raises ``DeliveryFailed``: it was not taken, and is refused for good (permanent) or to be sent again.
        """

    def close(self) -> None:
        """Let connections and files go."""
