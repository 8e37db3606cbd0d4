"""What workers pushed, until the watcher of their cluster has taken it."""

from __future__ import annotations

from typing import Protocol

from nightowl.core.cluster.pushed import Parcel


class Inbox(Protocol):
    """Parcels of all clusters, kept until they are removed. Safe from any thread. Raises ``Unavailable``."""

    def put(self, cluster: str, parcel: Parcel, room: int) -> bool:
        """Keep a parcel, durably; False: more than ``room`` events of its cluster would wait, or nearly so."""

    def parcels(self, cluster: str, after: int, limit: int) -> list[tuple[int, Parcel]]:
        """The oldest parcels behind the one with the number ``after``, with their numbers, which only grow."""

    def last(self, cluster: str) -> int:
        """The number of the newest parcel (0: there is none)."""

    def remove(self, cluster: str, through: int) -> None:
        """Forget the parcels up to this number."""
